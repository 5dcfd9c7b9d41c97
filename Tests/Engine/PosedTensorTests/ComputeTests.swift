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

    /// A graph keeps the tensors that it reads, though nobody else does, and gives them back with itself.
    @Test(arguments: UsableDevices.names)
    func aGraphKeepsWhatItReads(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend, precision: .f32)
        let count = 4096
        let output = try compute.persistent([count], .f32)
        var input: Tensor? = try compute.tensor([Float](repeating: 3, count: count), [count])
        var graph: CapturedGraph?
        if let input {
            graph = try compute.capture {
                try Operation.combine([(2, input)], into: output).run(on: compute)
            }
        }
        let before = try compute.device.info().memoryUsed
        input = nil
        #expect(try compute.device.info().memoryUsed == before)
        // Whoever gets the memory of a tensor that is gone writes to it.
        let others = try (0..<8).map { _ in
            try compute.tensor([Float](repeating: 9, count: count), [count])
        }
        if let graph { try compute.launch(graph) }
        #expect(try compute.floats(output) == [Float](repeating: 6, count: count))
        withExtendedLifetime(others) {}
        let held = try compute.device.info().memoryUsed
        graph = nil
        #expect(try compute.device.info().memoryUsed <= held - UInt64(4 * count))
    }

    /// Scratch memory that a graph works in outlives a trim; what nobody uses is freed.
    @Test(arguments: UsableDevices.names)
    func trimmingLeavesGraphsTheirScratch(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend, precision: .f32)
        let count = 4096
        let input = try compute.tensor([Float](repeating: 1, count: count), [count])
        let output = try compute.persistent([count], .f32)
        var graph: CapturedGraph? = try compute.capture {
            let twice = try compute.scratch([count], .f32)
            try compute.combine([(2, input)], into: twice)
            try compute.combine([(1, twice)], bias: 1, into: output)
        }
        _ = try compute.scratch([2 * count], .f32)
        let held = compute.workspaceBytes
        compute.trim()
        #expect(compute.workspaceBytes == held - 8 * count)
        let others = try (0..<8).map { _ in
            try compute.tensor([Float](repeating: 9, count: count), [count])
        }
        if let graph { try compute.launch(graph) }
        #expect(try compute.floats(output) == [Float](repeating: 3, count: count))
        withExtendedLifetime(others) {}
        graph = nil
        compute.trim()
        #expect(compute.workspaceBytes == 0)
    }

    /// A sum may have more terms than a backend adds at once, its output among them.
    @Test(arguments: UsableDevices.names, [1, 12, 13, 23, 24, 40])
    func addsAnyNumberOfTerms(_ backend: String, _ count: Int) throws {
        let compute = try UsableDevices.compute(backend, precision: .f32)
        let y = try compute.tensor([100, 200], [2])
        var terms: [(Float, Tensor)] = []
        var expected: [Float] = [0.5, 0.5]
        for index in 0..<count {
            let value = Float(index + 1)
            // The output comes late, when a careless sum has overwritten it.
            let isOutput = index == count - 1
            let x = isOutput ? y : try compute.tensor([value, -value], [2])
            terms.append((Float(index % 3 + 1), x))
            expected[0] += Float(index % 3 + 1) * (isOutput ? 100 : value)
            expected[1] += Float(index % 3 + 1) * (isOutput ? 200 : -value)
        }
        let sum = Operation.combine(terms, bias: 0.5, into: y)
        try sum.run(on: compute)
        #expect(try compute.floats(y) == expected)
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
