import PosedBackend
import PosedTensor
import PosedTesting
import Testing

/// Streams of work: immediate, captured, and refused.
@Suite struct ComputeTests {
    @Test(arguments: UsableDevices.names)
    func combinesInOrder(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend, precision: .f32)
        let x = try compute.tensor([1, 2, 3], [3])
        let y = try compute.tensor([10, 20, 30], [3])
        try compute.combine([(2, x), (0.5, y)], bias: 1, into: y)
        #expect(try compute.floats(y) == [8, 15, 22])
    }

    /// A graph reads what its inputs hold at each launch, and does nothing while it is recorded.
    @Test(arguments: UsableDevices.names)
    func capturesAndReplays(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend, precision: .f32)
        let input = try compute.tensor([1, 2], [2])
        let output = try compute.tensor([0, 0], [2])
        let graph = try compute.capture {
            let twice = try compute.scratch([2], .f32)
            try compute.combine([(2, input)], into: twice)
            try compute.combine([(1, twice)], bias: 1, into: output)
        }
        #expect(try compute.floats(output) == [0, 0])
        try compute.launch(graph)
        #expect(try compute.floats(output) == [3, 5])
        try compute.upload([10, 20], to: input)
        try compute.launch(graph)
        #expect(try compute.floats(output) == [21, 41])
    }

    @Test(arguments: UsableDevices.names)
    func runsPreparedOperations(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend, precision: .f32)
        let x = try compute.tensor([1, 2, 3, 4], [2, 2])
        let y = try compute.tensor([0, 0, 0, 0], [2, 2])
        let transpose = Operation.copy(x.permuted([1, 0]), to: y)
        try transpose.run(on: compute)
        #expect(try compute.floats(y) == [1, 3, 2, 4])
        try compute.upload([5, 6, 7, 8], to: x)
        try transpose.run(on: compute)
        #expect(try compute.floats(y) == [5, 7, 6, 8])
    }

    @Test(arguments: UsableDevices.names)
    func refusesPrecisionsAndShapesThatDoNotFit(_ backend: String) throws {
        let device = try UsableDevices.compute(backend).device
        let error = #expect(throws: BackendError.self) {
            try Compute(device: device, precision: .u8)
        }
        #expect(error?.code == .unsupported)
        let compute = try Compute(device: device, precision: .f32)
        let x = try compute.tensor([1, 2], [2])
        let y = try compute.tensor([1, 2, 3], [3])
        #expect(throws: BackendError.self) { try compute.copy(x, to: y) }
        #expect(try compute.floats(y) == [1, 2, 3])
    }

    /// 8 bits are a type of products; activations then are bfloat16.
    @Test(arguments: UsableDevices.names)
    func multipliesInEightBitsWhereTheDeviceDoes(_ backend: String) throws {
        let device = try UsableDevices.compute(backend).device
        guard try device.info().dtypes.contains(.i8) else {
            let error = #expect(throws: BackendError.self) {
                try Compute(device: device, precision: .i8)
            }
            #expect(error?.code == .unsupported)
            #expect(error.map { "\($0)" }?.contains("not in i8") == true)
            return
        }
        let compute = try Compute(device: device, precision: .i8)
        #expect(compute.products == .i8 && compute.precision == .bf16)
        try compute.require(.linear(inputs: 384, outputs: 1152), in: compute.products)
        #expect(throws: BackendError.self) {
            try compute.require(.conv2d(inputs: 3, outputs: 64, kernel: 3, stride: 1), in: .i8)
        }
        #expect(throws: BackendError.self) { try compute.floats(compute.scratch([4], .i8)) }
    }

    /// What a device declines is known before any weight is packed.
    @Test(arguments: UsableDevices.names)
    func asksWhatADeviceCanDo(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend)
        try compute.require(.linear(inputs: 64, outputs: 128))
        try compute.require(.conv2d(inputs: 3, outputs: 64, kernel: 3, stride: 1))
        try compute.require(.attention(heads: 2, size: 64))
    }
}
