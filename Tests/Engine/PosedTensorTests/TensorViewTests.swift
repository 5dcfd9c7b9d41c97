import PosedBackend
import PosedTensor
import PosedTesting
import Testing

/// Views share elements; what they show is found by copying them to dense tensors.
@Suite struct TensorViewTests {
    /// 0, 1, 2, … in the given shape.
    private func counted(_ shape: [Int], on compute: Compute) throws -> Tensor {
        try compute.tensor((0..<shape.reduce(1, *)).map(Float.init), shape)
    }

    @Test func stridesOfDenseTensors() {
        #expect(Tensor.denseStrides(of: [2, 3, 4]) == [12, 4, 1])
        #expect(Tensor.denseStrides(of: [5]) == [1])
    }

    @Test(arguments: UsableDevices.names)
    func slicesAndIndexes(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend, precision: .f32)
        let x = try counted([2, 3, 4], on: compute)
        #expect(try compute.floats(x[1]) == (12..<24).map(Float.init))
        let part = x.sliced(axis: 2, 1..<3)
        #expect(part.shape == [2, 3, 2] && !part.isDense)
        #expect(try compute.floats(part) == [1, 2, 5, 6, 9, 10, 13, 14, 17, 18, 21, 22])
    }

    @Test(arguments: UsableDevices.names)
    func permutesAndSplits(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend, precision: .f32)
        let x = try counted([2, 6], on: compute)
        #expect(
            try compute.floats(x.permuted([1, 0])) == [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11])
        let split = x.splitting(axis: 1, inner: 2)
        #expect(split.shape == [2, 3, 2])
        #expect(
            try compute.floats(split.permuted([1, 0, 2]))
                == [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11])
    }

    @Test(arguments: UsableDevices.names)
    func broadcastsAndConverts(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend, precision: .f32)
        let x = try compute.tensor([1, 2.5], [2])
        #expect(try compute.floats(x.broadcast(3)) == [1, 2.5, 1, 2.5, 1, 2.5])
        #expect(x.unsqueezed(axis: 0).shape == [1, 2] && x.unsqueezed(axis: 1).shape == [2, 1])
        if backend != "example" {
            let short = try compute.dense(x, .bf16)
            #expect(short.dtype == .bf16)
            #expect(try compute.floats(short) == [1, 2.5])
        }
    }
}
