import PosedWeights
import Testing

@Suite struct WeightTensorTests {
    /// A file with one tensor of these 16-bit words, at an odd address unless told otherwise.
    private func tensor(
        _ dtype: ElementType, _ words: [UInt16], isAligned: Bool = false
    ) throws -> WeightTensor {
        let scratch = try Scratch()
        var header = """
            {"w":{"dtype":"\(dtype)","shape":[\(words.count)],\
            "data_offsets":[0,\(2 * words.count)]}}
            """
        while header.utf8.count.isMultiple(of: 2) != isAligned { header += " " }
        let bytes = words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
        let path = try scratch.write(length + Array(header.utf8) + bytes, to: "x")
        return try SafetensorsFile(path: path).tensor("w")
    }

    @Test(arguments: [true, false]) func convertsEveryHalfExactly(_ isAligned: Bool) throws {
        let words = Array(UInt16.min...UInt16.max)
        let floats = try tensor(.f16, words, isAligned: isAligned).floats()
        #expect(floats.count == words.count)
        let wrong = zip(words, floats).filter { word, float in
            let expected = Float(Float16(bitPattern: word))
            return expected.isNaN ? !float.isNaN : float.bitPattern != expected.bitPattern
        }
        #expect(wrong.isEmpty)
    }

    @Test(arguments: [true, false]) func convertsEveryBrainFloatExactly(_ isAligned: Bool) throws {
        let words = Array(UInt16.min...UInt16.max)
        let floats = try tensor(.bf16, words, isAligned: isAligned).floats()
        #expect(floats.map(\.bitPattern) == words.map { UInt32($0) << 16 })
    }

    @Test(arguments: [(ElementType.f16, 0x7C00), (.bf16, 0x7F80)] as [(ElementType, UInt16)])
    func noticesValuesThatAreNotFinite(_ dtype: ElementType, _ infinity: UInt16) throws {
        for sign in [0, 0x8000] as [UInt16] {
            for word in [0, 1, infinity - 1, infinity, infinity + 1, 0x7FFF] {
                let tensor = try tensor(dtype, [0, word | sign, 0])
                #expect(tensor.isFinite == (word < infinity))
                #expect(tensor.firstNonFinite?.index == (word < infinity ? nil : 1))
            }
        }
    }

    @Test func noticesNaNAndInfinityAmongFloats() throws {
        let edge: [Float] = [0, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0x1p-149]
        for (values, isFinite) in [
            (edge, true), (edge + [.nan], false), (edge + [.infinity], false),
            ([-.infinity] + edge, false), ([.signalingNaN] + edge, false), ([], true),
        ] {
            let tensor = try #require(
                WeightTensor(name: "w", shape: [values.count], floats: values))
            #expect(tensor.isFinite == isFinite)
        }
    }

    @Test func staysReadableAfterRelease() throws {
        let tensor = try tensor(.bf16, [UInt16](repeating: 0x3F80, count: 100_000))
        tensor.release()
        #expect(tensor.floats().allSatisfy { $0 == 1 })
        tensor.release()
        #expect(tensor.isFinite)
    }

    @Test func checksItsShape() {
        #expect(WeightTensor(name: "w", shape: [2], floats: [1]) == nil)
        #expect(WeightTensor(name: "w", shape: [-1], floats: [1]) == nil)
        #expect(WeightTensor(name: "w", shape: [.max, 2], floats: [1]) == nil)
        #expect(WeightTensor.count(of: [0, .max, .max]) == 0)
        #expect(WeightTensor.count(of: []) == 1)
        #expect(WeightTensor.count(of: [.max, 2]) == nil)
    }

    @Test func givesNoFloatsForIntegers() throws {
        #expect(try tensor(.i16, [1, 2]).floats().isEmpty)
    }
}
