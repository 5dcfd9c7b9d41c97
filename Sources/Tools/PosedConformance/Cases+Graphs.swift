import CPosedBackend
import PosedBackend

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
