import CPosedBackend
import PosedBackend

extension ConformanceSuite {
    static var memoryCases: [ConformanceCase] {
        [
            ConformanceCase("memory: a limit refuses one buffer and nothing else") { bench in
                let limited = try Bench(bench.plugin, index: bench.index, memoryLimit: 16 << 20)
                try refuseBuffer(limited, bytes: 64 << 20)
                let network = try SmallNetwork(limited)
                let expected = try network.run(limited)
                let megabytes = try fill(limited)
                try expect(megabytes <= 16, "\(megabytes) MB fit under a limit of 16 MB")
                try expect(megabytes >= 8, "only \(megabytes) MB fit under a limit of 16 MB")
                try expect(
                    try network.run(limited) == expected, "work changed when memory ran out")
                limited.clear()
                try expect(try fill(limited) >= megabytes, "memory given back cannot be had again")
                return 0
            },
            ConformanceCase("memory: a limit refuses a weight that is too large") { bench in
                let limited = try Bench(bench.plugin, index: bench.index, memoryLimit: 4 << 20)
                let compute = DType.floats.first(where: limited.computes) ?? .f32
                let values = [Float](repeating: 0, count: 2048 * 2048)
                do {
                    _ = try limited.linearWeight(
                        values, out: 2048, in: 2048, bias: nil, type: .f32, compute: compute)
                } catch let error as BackendError {
                    try expect(
                        error.code == .outOfMemory, "expected outOfMemory, got \(error.code)")
                    _ = try SmallNetwork(limited).run(limited)
                    return 0
                }
                throw Failure("a weight of at least 8 MB fitted under a limit of 4 MB")
            },
            ConformanceCase("memory: an absurd size is refused") { bench in
                try refuseBuffer(bench, bytes: 1 << 60)
                try refuseBuffer(bench, bytes: .max)
                return 0
            },
            ConformanceCase("memory: use is counted and given back") { bench in
                let own = try Bench(bench.plugin, index: bench.index)
                let before = try own.currentInfo().memory_used
                _ = try own.buffer(4 << 20)
                let weight = try own.linearWeight(
                    [Float](repeating: 1, count: 512 * 512), out: 512, in: 512, bias: nil,
                    type: .f32, compute: .f32)
                let bytes = own.plugin.table.pointee.weight_bytes?(weight.handle) ?? 0
                try expect(bytes >= 512 * 512, "a weight says that it has \(bytes) bytes")
                let during = try own.currentInfo().memory_used
                try expect(during >= before + 4 << 20, "a buffer of 4 MB is not counted")
                own.clear()
                let after = try own.currentInfo().memory_used
                try expect(after <= before, "\(after - before) bytes are still counted as in use")
                return 0
            },
            ConformanceCase("device: options that make no sense are refused") { bench in
                let table = bench.plugin.table.pointee
                let devices = Int32(clamping: try bench.plugin.probe().devices)
                let wrong: [(Int32, Int32)] = [(-1, 0), (devices, 0), (.max, 0), (0, -5)]
                for (index, threads) in wrong {
                    var options = posed_device_options()
                    (options.index, options.threads) = (index, threads)
                    var device: OpaquePointer?
                    try expectRefusal("device \(index) with \(threads) threads") {
                        table.device_open(&options, &device, $0)
                    }
                    try expect(device == nil, "device_open failed and gave a device")
                }
                return 0
            },
            ConformanceCase("device: info makes sense") { bench in
                let info = bench.info
                try expect(!text(info.name).isEmpty, "the device has no name")
                try expect(!text(info.numerics).isEmpty, "the class of results has no name")
                try expect(info.dtypes & (1 << info.preferred) != 0, "preferred is not in dtypes")
                try expect(
                    info.dtypes & ~0b101110 == 0 && info.dtypes != 0, "dtypes is \(info.dtypes)")
                try expect(
                    !bench.computes(.i8) || bench.computes(.bf16), "dtypes has i8 without bf16")
                try expect(
                    info.preferred != DType.i8.rawValue, "preferred is i8, no tensor's type")
                try expect(info.threads >= 0, "\(info.threads) threads")
                return 0
            },
        ]
    }

    /// How many buffers of 1 MB can be had.
    private static func fill(_ bench: Bench) throws -> Int {
        for count in 0..<64 {
            do {
                _ = try bench.buffer(1 << 20)
            } catch let error as BackendError {
                try expect(error.code == .outOfMemory, "expected outOfMemory, got \(error.code)")
                return count
            }
        }
        return 64
    }

    private static func refuseBuffer(_ bench: Bench, bytes: UInt64) throws {
        var buffer: OpaquePointer?
        try expectRefusal("a buffer of \(bytes) bytes", [.outOfMemory]) {
            bench.plugin.table.pointee.buffer_create(bench.device, bytes, &buffer, $0)
        }
        try expect(buffer == nil, "buffer_create failed and gave a buffer")
    }
}
