import Foundation
import PosedAccounts
import PosedBase
import PosedServing
import PosedSessions
import Testing

/// Files that an earlier version left are restored: those of the version before callers had accounts.
@Suite(.timeLimit(.minutes(10))) struct EarlierStateTests {
    private static let id = "gpsw3zexdicqel33gvrhrf27zh"
    private static let session = """
        cG9zZWRzdGEBAAAAAQAAAPUrI8Lnzj2MOlXx3co1Iq0ytQEx26zQqS+uxAM1XekqAQAAAAAAAAABAAAAAAAAAGgBAAAA
        AAAAkM8b3wZLCxSThYu5n+0BFxWRUoe4qVaRQHdvACsHV6rlEWnRa8QtRorNhEcvLTDYPkjeqanFU3T+gSFrYq8j+Xsi
        Y3JlYXRlZE1pbGxpc2Vjb25kcyI6MTc5NTg5MzM5Mzc3NSwiZGlzcGxheU5hbWUiOiJBZGEiLCJmcmFtZUNvdW50Ijow
        LCJpZCI6Imdwc3czemV4ZGljcWVsMzNndnJocmYyN3poIiwibGFiZWxzIjp7fSwib3duZXIiOiJ1bml4OjAiLCJwaWN0
        dXJlcyI6Ijk2NDIwMThkMzVjOWE3OWE3Y2E5NjE0MjZhNTg5NjljMjlhNjA5M2QxZjA4MWQ5YmZjMzM1NjU2YjQ1NjQw
        MDkiLCJyZXZpc2lvbiI6MSwic2V0dGluZ3MiOnsiZnJhbWUiOnsiZXZhbHVhdGlvbnMiOjh9LCJtb2RlbCI6Im1vZGVs
        cy9kZWZhdWx0In0sInRpbWVUb0xpdmVNaWxsaXNlY29uZHMiOjMxNDQ5NjAwMDAwLCJ1c2VkTWlsbGlzZWNvbmRzIjox
        Nzk1ODkzMzkzNzc1fQ==
        """
    private static let pictures = """
        cG9zZWRzdGEBAAAAAgAAAPUrI8Lnzj2MOlXx3co1Iq0ytQEx26zQqS+uxAM1XekqAgAAAAAAAAACAAAAAAAAAAgAAAAA
        AAAATPiYgrm58HUF3YPyGgbf0VxOC4X656S8K48x1Q6V0FoDAAAAAAAAAEgAAAAAAAAAEiq3vY5oEiXGTd60cMOKm/Bf
        9IuP19AfuaDZ/3U7RRsCfPUMHScySIGPOwKLcHjZxNvHIPJAn3yFnUJvqG/sBAYAAAAEAAAAAAB4KAB4UAB4eAB4oAB4
        yAB4ADx4KDx4UDx4eDx4oDx4yDx4AHh4KHh4UHh4eHh4oHh4yHh4ALR4KLR4ULR4eLR4oLR4yLR4
        """

    @Test func sessionsOfAnEarlierVersionAreRestored() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("posed-state-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in [("session", Self.session), ("pictures", Self.pictures)] {
            let data = try #require(
                Data(base64Encoded: text, options: .ignoreUnknownCharacters))
            let file = folder.appendingPathComponent("\(Self.id).\(name)")
            try data.write(to: file)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600], ofItemAtPath: file.path)
        }
        let reports = Counter()
        let archive = DirectoryArchive<SessionDefaults>(
            try StateDirectory(folder.path), onReport: { _ in reports.add(1) })
        var hasher = ContentHasher(kind: "models")
        hasher.combine("model", "any")
        archive.identify(hasher.key())
        let accounts = Accounts()
        var limits = SessionLimits()
        limits.greatestTimeToLive = .seconds(365 * 86_400)
        // A day after the session was made.
        let store = try ServedSessions(
            limits: limits, clock: ContinuousClock(),
            wall: { WallTime(milliseconds: 1_795_980_000_000) }, archive: archive,
            accounts: accounts)
        #expect(await store.restore() == 1)
        #expect(reports.value == 0)
        let id = try #require(SessionID(Self.id))
        let restored = try store.session(id, owner: "unix:0")
        #expect(restored.displayName == "Ada")
        #expect(restored.settings.model == "models/default")
        #expect(restored.settings.frame.evaluations == 8)
        #expect(restored.settings.conditioningBytes == nil)
        #expect(restored.pictures.map(\.width) == [6] && restored.pictures.map(\.height) == [4])
        #expect(accounts.used(by: .identity("unix:0"))[.sessions] == 1)
        #expect(accounts.used(by: .identity("unix:0"))[.sessionBytes] == 72)
    }
}
