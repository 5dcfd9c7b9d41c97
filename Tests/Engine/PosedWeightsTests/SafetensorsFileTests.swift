import PosedWeights
import Testing

@Suite struct SafetensorsFileTests {
    @Test func readsWhatItShould() throws {
        let scratch = try Scratch()
        let path = try scratch.safetensors(
            """
            {"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,1],"data_offsets":[2,10]},
             "a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},
             "\\u00e9":{"dtype":"BF16","shape":[],"data_offsets":[10,12]},
             "none":{"dtype":"F64","shape":[0,7],"data_offsets":[12,12]}}  \n
            """, data: 12)
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == ["format": "pt"])
        #expect(file.tensors.map(\.name) == ["a", "b", "é", "none"])
        let b = try #require(file["b"])
        #expect(b.shape == [2, 1])
        #expect(b.dtype == .f32)
        #expect(b.floats() == [0, 0])
        #expect(file["é"]?.count == 1)
        #expect(file["none"]?.bytes.count == 0)
        #expect(file["c"] == nil)
        let error = #expect(throws: WeightsError.self) { try file.tensor("c") }
        #expect(error?.code == .mismatch)
        #expect(
            error?.message == "\(path): tensor \"c\" expected, but the file holds \"a\", \"b\", "
                + "\"é\", \"none\"")
    }

    /// A header that must be refused, and how the message goes on after the file's name.
    struct Hostile: Sendable, CustomTestStringConvertible {
        let header: String
        var claim: UInt64?
        var data = 8
        let message: String
        var testDescription: String { message }
    }

    /// The header of one tensor "w" with these fields.
    private static func w(_ fields: String) -> String { "{\"w\":{\(fields)}}" }
    private static func w(
        _ dtype: String, _ shape: String, _ offsets: String
    ) -> String {
        w("\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)")
    }
    private static func two(_ first: String, _ second: String) -> String {
        """
        {"w":{"dtype":"U8","shape":[4],"data_offsets":\(first)},\
        "v":{"dtype":"U8","shape":[4],"data_offsets":\(second)}}
        """
    }

    static let hostile: [Hostile] = [
        Hostile(
            header: "{}", claim: 1 << 62,
            message: "the header claims 4611686018427387904 bytes; at most 100000000 are accepted"),
        Hostile(
            header: "{}", claim: .max,
            message: "the header claims 18446744073709551615 bytes; "
                + "at most 100000000 are accepted"),
        Hostile(
            header: "{}", claim: 11,
            message: "the header claims 11 bytes, but only 10 follow; "
                + "the file is truncated or no safetensors file"),
        Hostile(
            header: "{}", claim: 0,
            message: "the header is no valid JSON at byte 8: "
                + "the text ends where a value should be"),
        Hostile(header: "PK..", message: "the header is no valid JSON at byte 8: a value expected"),
        Hostile(
            header: "{\"a\":1,}",
            message: "the header is no valid JSON at byte 15: a key expected"),
        Hostile(
            header: "{} x",
            message: "the header is no valid JSON at byte 11: more text after the value"),
        Hostile(
            header: "{\"w\":{\"dtype\":\"F32\"",
            message: "the header is no valid JSON at byte 27: "
                + "\",\" or \"}\" expected"),
        Hostile(
            header: String(repeating: "[", count: 5000),
            message: "the header is no valid JSON at byte 40: nesting deeper than 32"),
        Hostile(
            header: "{\"\\ud800\":1}",
            message: "the header is no valid JSON at byte 16: a lone surrogate"),
        Hostile(header: "[]", message: "the header must be a JSON object, but is an array"),
        Hostile(
            header: "{\"w\":1,\"w\":2}",
            message: "the header is no valid JSON at byte 18: duplicate key \"w\""),
        Hostile(
            header: "{\"w\":1,\"\\u0077\":2}",
            message: "the header is no valid JSON at byte 23: duplicate key \"w\""),
        Hostile(
            header: "{\"__metadata__\":[]}",
            message: "__metadata__ must be an object of texts, but is an array"),
        Hostile(
            header: "{\"__metadata__\":{\"n\":1}}",
            message: "__metadata__ \"n\" must be a string, but is an integer"),
        Hostile(
            header: "{\"w\":null}",
            message: "tensor \"w\" must be described by an object, but is by null"),
        Hostile(
            header: w("\"shape\":[2],\"data_offsets\":[0,8]"),
            message: "tensor \"w\" has no dtype"),
        Hostile(
            header: w("\"dtype\":\"F32\",\"data_offsets\":[0,8]"),
            message: "tensor \"w\" has no shape"),
        Hostile(
            header: w("\"dtype\":\"F32\",\"shape\":[2]"),
            message: "tensor \"w\" has no data_offsets"),
        Hostile(header: w("\"size\":2"), message: "tensor \"w\" has an unknown field \"size\""),
        Hostile(
            header: w("F33", "[2]", "[0,8]"), message: "tensor \"w\" has an unknown dtype \"F33\""),
        Hostile(
            header: w("\"dtype\":4"),
            message: "tensor \"w\" must have a string as dtype, but has an integer"),
        Hostile(
            header: w("F32", "2", "[0,8]"),
            message: "tensor \"w\" must have an array as shape, but has an integer"),
        Hostile(
            header: w("F32", "[2.0]", "[0,8]"),
            message: "tensor \"w\" has a number that is no integer "
                + "in its shape; integers are expected"),
        Hostile(
            header: w("F32", "[99999999999999999999]", "[0,8]"),
            message: "tensor \"w\" has a number that is no integer in its shape; "
                + "integers are expected"),
        Hostile(
            header: w("F32", "[-2]", "[0,8]"),
            message: "tensor \"w\" has an impossible shape [-2]"),
        Hostile(
            header: w("F32", "[-1,-2]", "[0,8]"),
            message: "tensor \"w\" has an impossible shape [-1, -2]"),
        Hostile(
            header: w("F32", "[4294967296,4294967296]", "[0,8]"),
            message: "tensor \"w\" has an impossible shape [4294967296, 4294967296]"),
        Hostile(
            header: w("F32", "[4611686018427387904]", "[0,8]"),
            message: "tensor \"w\" has an impossible shape [4611686018427387904]"),
        Hostile(
            header: w("F32", "[2]", "[0]"),
            message: "tensor \"w\" must have two data_offsets, but has 1"),
        Hostile(
            header: w("F32", "[2]", "[-8,0]"),
            message: "tensor \"w\" has impossible data_offsets [-8, 0]"),
        Hostile(
            header: w("F32", "[2]", "[8,0]"),
            message: "tensor \"w\" has impossible data_offsets [8, 0]"),
        Hostile(
            header: w("F32", "[2]", "[0,8]"), data: 7,
            message: "tensor \"w\" ends at byte 8 of the "
                + "data, but the file has 7; it is truncated"),
        Hostile(
            header: w("F32", "[2]", "[9223372036854775799,9223372036854775807]"),
            message:
                "tensor \"w\" ends at byte 9223372036854775807 of the data, but the file has 8; "
                + "it is truncated"),
        Hostile(
            header: w("F16", "[2]", "[0,8]"),
            message: "tensor \"w\" of type F16 and shape [2] needs "
                + "4 bytes, but its data_offsets give 8"),
        Hostile(header: two("[0,4]", "[2,6]"), message: "tensor \"v\" overlaps \"w\""),
        Hostile(header: two("[0,4]", "[0,4]"), data: 4, message: "tensor \"w\" overlaps \"v\""),
        Hostile(
            header: two("[0,4]", "[5,9]"), data: 9,
            message: "1 bytes before tensor \"v\" belong to no tensor"),
        Hostile(
            header: w("U8", "[4]", "[0,4]"), message: "the last 4 bytes belong to no tensor"),
        Hostile(
            header: "{\"a\\u001b[31m\\nb\":1}",
            message: "tensor \"a\\u{1b}[31m\\u{a}b\" must be "
                + "described by an object, but is by an integer"),
    ]

    @Test(arguments: hostile) func refuses(_ hostile: Hostile) throws {
        let scratch = try Scratch()
        let path = try scratch.safetensors(hostile.header, claim: hostile.claim, data: hostile.data)
        let error = #expect(throws: WeightsError.self) { try SafetensorsFile(path: path) }
        #expect(error?.code == .malformed)
        #expect(error?.message == "\(path): \(hostile.message)")
    }

    @Test(arguments: 0..<8) func refusesFilesShorterThanAnyHeader(_ count: Int) throws {
        let scratch = try Scratch()
        let path = try scratch.write([UInt8](repeating: 0, count: count), to: "x.safetensors")
        let error = #expect(throws: WeightsError.self) { try SafetensorsFile(path: path) }
        #expect(
            error?.message == "\(path): a safetensors file has at least 8 bytes, "
                + "but this one has \(count)")
    }

    @Test func refusesTextThatIsNotUTF8() throws {
        let scratch = try Scratch()
        let header: [UInt8] = Array("{\"".utf8) + [0xFF, 0xFE] + Array("\":1}".utf8)
        let path = try scratch.write([UInt8(header.count), 0, 0, 0, 0, 0, 0, 0] + header, to: "x")
        let error = #expect(throws: WeightsError.self) { try SafetensorsFile(path: path) }
        #expect(error?.message.hasSuffix("a string that is not UTF-8") == true)
    }

    @Test func refusesWhatIsNoRegularFile() throws {
        let scratch = try Scratch()
        let absent = #expect(throws: WeightsError.self) {
            try SafetensorsFile(path: scratch.file("absent"))
        }
        #expect(absent?.code == .unreadable)
        #expect(
            absent?.message
                == "\(scratch.file("absent")): cannot be opened: No such file or directory")
        let folder = #expect(throws: WeightsError.self) { try SafetensorsFile(path: scratch.path) }
        #expect(folder?.message == "\(scratch.path): is not a regular file")
    }

    /// Every way to cut a sound file short must be noticed.
    @Test func refusesEveryTruncation() throws {
        let scratch = try Scratch()
        var writer = SafetensorsWriter(metadata: ["k": "v"])
        try writer.add("a", shape: [3], floats: [1, 2, 3])
        try writer.add("b", shape: [2], floats: [1, 2], as: .f16)
        try writer.write(to: scratch.file("whole"))
        let whole = try scratch.read("whole")
        for count in 0..<whole.count {
            let path = try scratch.write(Array(whole.prefix(count)), to: "cut")
            #expect(throws: WeightsError.self, "cut to \(count)") {
                try SafetensorsFile(path: path)
            }
        }
    }

    /// Whatever single byte of the header is damaged, the file is refused or read within its
    /// bounds.
    @Test func survivesDamagedHeaders() throws {
        let scratch = try Scratch()
        var writer = SafetensorsWriter()
        try writer.add("a", shape: [2, 3], floats: [1, 2, 3, 4, 5, 6])
        try writer.add("b", shape: [2], floats: [1, 2], as: .bf16)
        try writer.write(to: scratch.file("whole"))
        let whole = try scratch.read("whole")
        var refused = 0
        for position in 0..<(whole.count - 28) {
            for flip in [0x01, 0x10] as [UInt8] {
                var bytes = whole
                bytes[position] ^= flip
                let path = try scratch.write(bytes, to: "damaged")
                do {
                    let file = try SafetensorsFile(path: path)
                    #expect(file.tensors.reduce(0) { $0 + $1.byteCount } == 28)
                } catch {
                    #expect(error.message.hasPrefix(path))
                    refused += 1
                }
            }
        }
        #expect(refused > 50)
    }
}
