import CPosedBackend
import Foundation
import PosedBackend
import PosedGuarded

extension ConformanceSuite {
    static var streamCases: [ConformanceCase] {
        [
            ConformanceCase("stream: the same work twice gives the same bits") { bench in
                let network = try SmallNetwork(bench)
                let first = try network.run(bench)
                for _ in 0..<5 {
                    try network.wipe(bench)
                    try expect(try network.run(bench) == first, "equal work gave different bits")
                }
                return 0
            },
            ConformanceCase("stream: two threads with a stream each") { try twoThreads($0) },
            ConformanceCase("stream: an event orders two streams") { try eventOrder($0) },
            ConformanceCase("stream: buffers and weights may go before the work is done") { bench in
                let expected = try SmallNetwork(bench).run(bench)
                for _ in 0..<5 {
                    let own = try bench.another()
                    for operation in try SmallNetwork(own).operations { try own.run(operation) }
                    own.clear(waiting: false)
                }
                try expect(
                    try SmallNetwork(bench).run(bench) == expected, "work after that is wrong")
                return 0
            },
            ConformanceCase("transfer: parts of a buffer") { try transferParts($0) },
            ConformanceCase("transfer: outside of a buffer is refused") { bench in
                let buffer = try bench.buffer(256)
                let table = bench.plugin.table.pointee
                var bytes = [UInt8](repeating: 7, count: 512)
                for (offset, count) in [(0, 257), (256, 1), (200, 57), (UInt64.max, 2), (300, 1)] {
                    let (offset, count) = (UInt64(offset), UInt64(count))
                    try expectRefusal("an upload of \(count) bytes to \(offset) of 256") {
                        table.upload(bench.stream, buffer, offset, &bytes, count, $0)
                    }
                    try expectRefusal("a download of \(count) bytes from \(offset) of 256") {
                        table.download(bench.stream, &bytes, buffer, offset, count, $0)
                    }
                }
                try expect(bytes.allSatisfy { $0 == 7 }, "a refused download wrote to the host")
                return 0
            },
            ConformanceCase("buffer: aligned, and mapped where the device says so") { bench in
                for size in [1, 63, 64, 1000, 1 << 20] {
                    let buffer = try bench.buffer(size)
                    let map = bench.plugin.table.pointee.buffer_map
                    guard bench.info.host_visible == 1 else {
                        try expect(
                            map?(bench.device, buffer) == nil,
                            "host_visible is 0, and buffer_map gives an address")
                        continue
                    }
                    let address = try expect(
                        map?(bench.device, buffer), "host_visible is 1, and there is no address")
                    try expect(UInt(bitPattern: address) % 64 == 0, "the address is not aligned")
                    try bench.upload([UInt8](repeating: 0x5a, count: size), to: buffer)
                    try bench.synchronize()
                    let last = address.load(fromByteOffset: size - 1, as: UInt8.self)
                    try expect(last == 0x5a, "the address does not show what was uploaded")
                }
                return 0
            },
        ]
    }

    /// `@unchecked Sendable`: the other threads only call `another()`, which reads constants.
    private struct Shared: @unchecked Sendable {
        let bench: Bench
    }

    private static func twoThreads(_ bench: Bench) throws -> Double {
        let expected = try SmallNetwork(bench).run(bench)
        let shared = Shared(bench: bench)
        let failures = Guarded<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 2) { _ in
            do {
                let own = try shared.bench.another()
                for _ in 0..<10 {
                    let network = try SmallNetwork(own)
                    try expect(try network.run(own) == expected, "a thread got other bits")
                    own.clear()
                }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        if let failure = failures.withLock({ $0.first }) { throw Failure(failure) }
        return 0
    }

    private static func eventOrder(_ bench: Bench) throws -> Double {
        let table = bench.plugin.table.pointee
        let expected = try SmallNetwork(bench).run(bench)
        var event: OpaquePointer?
        try BackendError.check("event_create") { table.event_create(bench.device, &event, $0) }
        let made = try expect(event, "event_create gave no event")
        defer { table.event_destroy(made) }
        let other = try bench.another()
        let network = try SmallNetwork(bench)
        for operation in network.operations { try bench.run(operation) }
        try BackendError.check("event_record") { table.event_record(bench.stream, made, $0) }
        try BackendError.check("event_wait") { table.event_wait(other.stream, made, $0) }
        try expect(try network.bytes(other) == expected, "the second stream did not wait")
        try BackendError.check("event_synchronize") { table.event_synchronize(made, $0) }
        try bench.synchronize()
        return 0
    }

    private static func transferParts(_ bench: Bench) throws -> Double {
        let size = 100_003
        let buffer = try bench.buffer(size)
        var expected = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        try bench.upload(expected, to: buffer)
        let part = [UInt8](repeating: 0xab, count: 1001)
        try bench.upload(part, to: buffer, at: 777)
        expected.replaceSubrange(777..<777 + part.count, with: part)
        for (offset, count) in [(0, size), (776, 1003), (size - 1, 1), (5, 64)] {
            var found = [UInt8](repeating: 0, count: count)
            try BackendError.check("download") {
                bench.plugin.table.pointee.download(
                    bench.stream, &found, buffer, UInt64(offset), UInt64(count), $0)
            }
            try bench.synchronize()
            try expect(
                found == Array(expected[offset..<offset + count]),
                "\(count) bytes from \(offset) are not what was uploaded")
        }
        return 0
    }
}
