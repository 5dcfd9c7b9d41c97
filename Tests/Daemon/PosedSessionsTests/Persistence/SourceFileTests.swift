import PosedSessions
import Testing

@Suite struct SourceFileTests {
    private static let fingerprint = ContentHasher(kind: "model").key()

    private let file = SourceFile(
        key: ContentHasher(kind: "source").key(),
        parts: [
            nil, SourceFile.Part(type: 1, shape: [2, 3], elements: (0..<24).map { $0 }),
            SourceFile.Part(type: 3, shape: [], elements: [1, 2]),
        ])

    private var bytes: [UInt8] { file.encoded(fingerprint: Self.fingerprint).flatMap { $0 } }

    private func failure(
        _ bytes: [UInt8], _ fingerprint: ContentKey = fingerprint
    ) -> String? {
        do throws(StorageError) {
            _ = try SourceFile(bytes, fingerprint: fingerprint)
            return nil
        } catch {
            return error.code == .damaged ? error.message : "wrong code \(error.code)"
        }
    }

    @Test func roundTrips() throws {
        #expect(try SourceFile(bytes, fingerprint: Self.fingerprint) == file)
        let key = file.key
        #expect(ContentKey(key.description) == key)
        for text in ["", "ab", String(repeating: "g", count: 64), key.description.uppercased()] {
            #expect(ContentKey(text) == nil)
        }
    }

    @Test func everyDamageIsFound() {
        let bytes = bytes
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(failure(changed) != nil, "byte \(index)")
            #expect(failure(Array(bytes[..<index])) != nil, "cut at \(index)")
        }
        #expect(failure(bytes + [0]) != nil)
    }

    @Test func saysWhatIsWrong() {
        #expect(
            failure(bytes, ContentHasher(kind: "other").key())
                == "it is of another model, device or version")
        func refusal(_ blocks: [StateFile.Block]) -> String? {
            let file = StateFile(kind: .source, fingerprint: Self.fingerprint, blocks: blocks)
            return failure(file.encoded().flatMap { $0 })
        }
        let key = StateFile.Block(.key, file.key.bytes)
        #expect(refusal([]) == "it does not begin with a key")
        #expect(refusal([StateFile.Block(.key, [1])]) == "it does not begin with a key")
        #expect(
            refusal([key, StateFile.Block(.elements, [1])])
                == "elements come without a shape")
        for shape: [UInt8] in [[1], [1, 0, 0, 0, 9], [1, 0, 0, 0]] {
            #expect(
                refusal([key, StateFile.Block(.shape, shape)])
                    == "a tensor's shape is not followed by its elements")
        }
        #expect(refusal([key]) == nil)
    }
}
