import CPosedBackend
import Foundation
import PosedBackend
import PosedGuarded

/// A chain of all ten operations in float32, with buffers of its own: what graphs and streams are
/// tried with.
struct SmallNetwork {
    static let batch = 2, tokens = 16, width = 32, heads = 2

    /// The operations in order, each reading what the one before it wrote.
    let operations: [Operation]
    /// `[B, T, D]`
    let input: DeviceTensor
    /// Everything that is written.
    let results: [DeviceTensor]

    /// Puts weights and buffers on `bench`; equal names give equal numbers.
    init(_ bench: Bench, name: String = "small network") throws {
        var noise = Noise(name)
        let (b, t, d) = (Self.batch, Self.tokens, Self.width)
        let tokens = [b, t, d], image = [b, 4, 4, d]
        input = try bench.tensor(noise.normal(b * t * d), tokens)

        var written: [DeviceTensor] = []
        func output(_ shape: [Int], _ type: DType = .f32) throws -> DeviceTensor {
            let result = try bench.output(.dense(shape), type)
            written.append(result)
            return result
        }
        func vector() throws -> posed_tensor { try bench.tensor(noise.normal(d), [d]).view }

        var norm = posed_layer_norm_desc()
        (norm.x, norm.y) = (input.view, try output(tokens).view)
        (norm.gamma, norm.beta, norm.eps) = (try vector(), try vector(), 1e-5)

        var linear = posed_linear_desc()
        linear.weight = try bench.linearWeight(
            noise.normal(3 * d * d, deviation: 0.2), out: 3 * d, in: d, bias: noise.normal(3 * d),
            type: .f32, compute: .f32
        ).handle
        let projection = try output([b, t, 3 * d])
        (linear.x, linear.y) = (norm.y, projection.view)

        var attention = posed_attention_desc()
        let size = d / Self.heads
        let slices = (0..<3).map {
            projection.view(
                Layout(
                    shape: [b, t, Self.heads, size], strides: [t * 3 * d, 3 * d, size, 1],
                    offset: $0 * d))
        }
        (attention.q, attention.k, attention.v) = (slices[0], slices[1], slices[2])
        let attended = try output(tokens)
        attention.y = attended.view(.dense([b, t, Self.heads, size]))
        attention.scale = 0.25
        var cached = posed_kv()
        cached.k = try bench.tensor(noise.normal(5 * d), [5, Self.heads, size]).view
        cached.v = try bench.tensor(noise.normal(5 * d), [5, Self.heads, size]).view

        let conv = try Self.convolution(
            attended.view(.dense(image)), try output(image).view, &noise, bench)

        var group = posed_group_norm_desc()
        (group.x, group.y) = (conv.y, try output(image).view)
        (group.gamma, group.beta) = (try vector(), try vector())
        (group.groups, group.eps, group.activation) = (8, 1e-6, POSED_ACT_SILU.rawValue)

        operations =
            [
                .layerNorm(norm), .linear(linear),
                .attention(attention, cached: [posed_kv(), cached]),
                .conv2d(conv), .groupNorm(group),
            ] + (try Self.elementwise(group.y, image, output))
        results = written
    }

    /// A 3×3 convolution that keeps the shape.
    private static func convolution(
        _ x: posed_tensor, _ y: posed_tensor, _ noise: inout Noise, _ bench: Bench
    ) throws -> posed_conv2d_desc {
        let d = width
        var filter = Reference.Conv2D(
            batch: batch, height: 4, width: 4, inputs: d, outputs: d, kernel: (3, 3),
            padding: (1, 1, 1, 1))
        filter.weight = noise.normal(d * d * 9, deviation: 0.06)
        var conv = posed_conv2d_desc()
        conv.weight = try bench.filter(filter, type: .f32, compute: .f32).handle
        (conv.x, conv.y) = (x, y)
        return conv
    }

    private static func elementwise(
        _ x: posed_tensor, _ image: [Int], _ output: ([Int], DType) throws -> DeviceTensor
    ) throws -> [Operation] {
        var copy = posed_copy_desc()
        let doubled = try output([image[0], 16, 2 * image[3]], .f32)
        var glu = posed_glu_desc()
        let halves = [image[0], 16, image[3] / 2]
        (glu.x, glu.activation) = (doubled.view, POSED_ACT_SILU.rawValue)
        glu.x = doubled.view(.dense([image[0], 16, image[3]]))
        glu.y = try output(halves, .f32).view
        let target = Layout(
            shape: image, strides: [16 * image[3], 4 * image[3], image[3], 1])
        (copy.x, copy.y) = (x, doubled.view(target))

        var activate = posed_activate_desc()
        (activate.x, activate.activation) = (glu.y, POSED_ACT_GELU_TANH.rawValue)
        activate.y = try output(halves, .f32).view

        var combine = posed_combine_desc()
        combine.count = 2
        set(&combine.x, 0, glu.y)
        set(&combine.x, 1, activate.y)
        set(&combine.coefficient, 0, Float(0.75))
        set(&combine.coefficient, 1, Float(-1.5))
        let sum = try output([image[0], 4, 4, image[3] / 2], .f32)
        combine.y = sum.view(.dense(halves))

        var quantize = posed_quantize_desc()
        (quantize.x, quantize.y) = (sum.view, try output(sum.layout.shape, .u8).view)
        return [
            .copy(copy), .glu(glu), .activate(activate), .combine(combine), .quantize(quantize),
        ]
    }

    /// Carries everything out at once and returns every byte written.
    func run(_ bench: Bench) throws -> [[UInt8]] {
        for operation in operations { try bench.run(operation) }
        return try bytes(bench)
    }

    /// Every byte that the network may have written.
    func bytes(_ bench: Bench) throws -> [[UInt8]] { try results.map(bench.bytes) }

    /// Fills all results with filler.
    func wipe(_ bench: Bench) throws {
        for result in results { try bench.write([], to: result) }
    }
}

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

extension ConformanceSuite {
    static var graphCases: [ConformanceCase] {
        [
            ConformanceCase("graph: a replay gives the bits of immediate work") { bench in
                try replay(bench)
            },
            ConformanceCase("graph: an operation that fails ends the recording") { bench in
                try failWhileRecording(bench)
            },
            ConformanceCase("graph: a missing descriptor ends the recording") { bench in
                let table = bench.plugin.table.pointee
                let network = try SmallNetwork(bench)
                try bench.beginCapture()
                try bench.run(network.operations[0])
                try expectRefusal("a linear without a descriptor") {
                    table.linear(bench.stream, nil, $0)
                }
                var graph: OpaquePointer?
                try expectRefusal("capture_end") { table.capture_end(bench.stream, &graph, $0) }
                try expect(graph == nil, "capture_end failed and gave a graph")
                return 0
            },
            ConformanceCase("graph: a second capture_begin is refused") { bench in
                let network = try SmallNetwork(bench)
                try bench.beginCapture()
                try expectRefusal("a second capture_begin") {
                    bench.plugin.table.pointee.capture_begin(bench.stream, $0)
                }
                try bench.run(network.operations[0])
                bench.destroy(graph: try bench.endCapture())
                return 0
            },
            ConformanceCase("graph: capture_end without capture_begin is refused") { bench in
                var graph: OpaquePointer?
                try expectRefusal("capture_end") {
                    bench.plugin.table.pointee.capture_end(bench.stream, &graph, $0)
                }
                try expect(graph == nil, "capture_end failed and gave a graph")
                return 0
            },
            ConformanceCase("graph: a transfer is refused while recording") { bench in
                let network = try SmallNetwork(bench)
                try bench.beginCapture()
                var bytes: [UInt8] = [1, 2, 3, 4]
                let buffer = network.input.buffer
                try expectRefusal("an upload") {
                    bench.plugin.table.pointee.upload(bench.stream, buffer, 0, &bytes, 4, $0)
                }
                try expectRefusal("a download") {
                    bench.plugin.table.pointee.download(bench.stream, &bytes, buffer, 0, 4, $0)
                }
                if let graph = try? bench.endCapture() { bench.destroy(graph: graph) }
                _ = try network.run(bench)
                return 0
            },
        ]
    }

    private static func replay(_ bench: Bench) throws -> Double {
        let network = try SmallNetwork(bench)
        var noise = Noise("another input")
        let first = try bench.read(network.input)
        let second = noise.normal(network.input.layout.count)
        let expected = try [first, second].map { input in
            try bench.write(input, to: network.input)
            return try network.run(bench)
        }
        try network.wipe(bench)
        let untouched = try network.bytes(bench)

        try bench.beginCapture()
        for operation in network.operations { try bench.run(operation) }
        let graph = try bench.endCapture()
        defer { bench.destroy(graph: graph) }
        try expect(
            try network.bytes(bench) == untouched, "operations were carried out while recording")

        let memory = try bench.currentInfo().memory_used
        for (input, bytes) in [(second, expected[1]), (first, expected[0]), (second, expected[1])] {
            try network.wipe(bench)
            try bench.write(input, to: network.input)
            try bench.launch(graph)
            try expect(try network.bytes(bench) == bytes, "a replay and immediate work differ")
        }
        try bench.launch(graph)
        try bench.launch(graph)
        try expect(try network.bytes(bench) == expected[1], "two launches in a row differ from one")
        try expect(
            try bench.currentInfo().memory_used == memory, "a launch has changed the memory in use")
        return 0
    }

    private static func failWhileRecording(_ bench: Bench) throws -> Double {
        let network = try SmallNetwork(bench)
        let expected = try network.run(bench)
        try bench.beginCapture()
        try bench.run(network.operations[0])
        var broken = posed_activate_desc()
        (broken.x, broken.y, broken.activation) = (network.input.view, network.results[0].view, 99)
        var error = posed_error()
        let status = Operation.activate(broken).submit(bench.plugin.table, bench.stream, &error)
        try expect(status != POSED_OK, "an unknown activation was recorded")
        var graph: OpaquePointer?
        var end = posed_error()
        let ended = bench.plugin.table.pointee.capture_end(bench.stream, &graph, &end)
        if let graph { bench.destroy(graph: graph) }
        try expect(
            ended == status, "capture_end gave \(ended.rawValue), the operation \(status.rawValue)")
        try expect(graph == nil, "capture_end failed and gave a graph")
        try expect(!end.text.isEmpty, "capture_end failed without a message")
        try network.wipe(bench)
        try expect(try network.run(bench) == expected, "the stream does not work any more")
        return 0
    }
}
