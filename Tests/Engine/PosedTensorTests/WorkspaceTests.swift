import PosedBackend
import PosedTensor
import PosedTesting
import Testing

/// Scratch memory comes back and is lent again.
@Suite struct WorkspaceTests {
    private func workspace() throws -> Workspace {
        let name = try #require(UsableDevices.names.first)
        return Workspace(device: try UsableDevices.compute(name).device)
    }

    @Test func lendsTheSameBufferAgain() throws {
        let workspace = try workspace()
        var tensor: Tensor? = try workspace.tensor([100, 10], .f32)
        #expect(workspace.lentCount == 1)
        #expect(workspace.byteCount == 4000)
        let view = tensor?.sliced(axis: 0, 0..<1)
        tensor = nil
        #expect(workspace.lentCount == 1, "a view holds on to it")
        withExtendedLifetime(view) {}
        _ = consume view
        #expect(workspace.lentCount == 0)
        let next = try workspace.tensor([990], .f32)
        #expect(workspace.byteCount == 4000 && workspace.lentCount == 1)
        #expect(next.count == 990)
    }

    @Test func takesAnotherBufferRatherThanWasteOne() throws {
        let workspace = try workspace()
        _ = try workspace.tensor([1000], .f32)
        let small = try workspace.tensor([10], .f32)
        #expect(workspace.byteCount == 4000 + 64)
        withExtendedLifetime(small) {}
        workspace.trim()
        #expect(workspace.byteCount == 64)
    }
}
