import PosedBackend
import PosedConformance
import Testing

@Suite struct DeviceTensorTests {
    @Test func bfloatRoundsToNearestEven() {
        #expect(DType.bf16.round(1 + 1 / 256) == 1)
        #expect(DType.bf16.round(1 + 3 / 256) == 1.015625)
        #expect(DType.bf16.round(1 + 1.01 / 256) == 1.0078125)
        #expect(DType.bf16.round(.infinity) == .infinity)
        #expect(DType.bf16.round(.nan).isNaN)
        #expect(DType.bf16.round(.greatestFiniteMagnitude) == .infinity)
    }

    @Test(arguments: DType.floats)
    func storedValueIsLoaded(type: DType) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
        defer { memory.deallocate() }
        for (index, value) in [Float(0.1), -3.75, 1e-3, 60000].enumerated() {
            type.store(value, in: memory, at: index)
            #expect(type.load(memory, at: index) == type.round(value))
        }
    }

    @Test func layoutsKnowTheirPlaces() {
        #expect(Layout.dense([2, 3]).places == [0, 1, 2, 3, 4, 5])
        #expect(Layout.stored([2, 3], order: [1, 0]).places == [0, 2, 4, 1, 3, 5])
        #expect(Layout.gapped([2, 2], gap: 1, offset: 5).places == [5, 6, 8, 9])
        #expect(Layout.gapped([2, 2], gap: 1, offset: 5).span == 10)
        #expect(Layout.dense([2, 2]).broadcast(along: 0).places == [0, 1, 0, 1])
    }

    @Test func deviationSeesOneWrongElement() {
        var y = [Float](repeating: 1, count: 10_000)
        let reference = [Double](repeating: 1, count: 10_000)
        #expect(Deviation.of(y, reference) == 0)
        y[77] = 1.2
        #expect(Deviation.of(y, reference) > 0.02)
        y[77] = .nan
        #expect(Deviation.of(y, reference) == .infinity)
        #expect(Deviation.of([], []) == .infinity)
    }
}
