import PosedErrors
import PosedSessions
import Testing

@Suite struct ContentKeyTests {
    private func key(
        pictures: [SourcePicture], preprocessing: String = "p", weights: [UInt8] = [1],
        numerics: String = "n", salt: String? = nil
    ) -> ContentKey {
        .conditioning(
            pictures: .pictures(pictures), preprocessing: preprocessing, weights: weights,
            numerics: numerics, salt: salt)
    }

    @Test func dependsOnEverythingAndNothingElse() throws {
        let pixels: [UInt8] = (0..<36).map { $0 }
        let picture = try SourcePicture(width: 4, height: 3, pixels: pixels)
        let same = try SourcePicture(width: 4, height: 3, pixels: Array(pixels))
        let turned = try SourcePicture(width: 3, height: 4, pixels: pixels)
        let other = try SourcePicture(width: 4, height: 3, pixels: pixels.reversed())
        #expect(key(pictures: [picture]) == key(pictures: [same]))
        let keys = [
            key(pictures: [picture]), key(pictures: [turned]), key(pictures: [other]),
            key(pictures: [picture, picture]), key(pictures: [picture, other]),
            key(pictures: [other, picture]), key(pictures: [picture], preprocessing: "q"),
            key(pictures: [picture], weights: [1, 0]), key(pictures: [picture], weights: []),
            key(pictures: [picture], numerics: "m"), key(pictures: [picture], salt: ""),
            key(pictures: [picture], salt: "alice"), key(pictures: [picture], salt: "bob"),
            ContentKey.pose(pixels, preprocessing: "p", weights: [1], numerics: "n"),
            ContentKey.pose(pixels, preprocessing: "p", weights: [1], numerics: "n", salt: "a"),
            ContentKey.pose([], preprocessing: "p", weights: [1], numerics: "n"),
        ]
        #expect(Set(keys).count == keys.count)
    }

    @Test func picturesAndTheirKeyComeToTheSame() throws {
        let pictures = [try picture(3), try picture(4)]
        let direct = ContentKey.conditioning(
            pictures: pictures, preprocessing: "p", weights: [1], numerics: "n", salt: "s")
        let known = ContentKey.conditioning(
            pictures: ContentKey.pictures(pictures), preprocessing: "p", weights: [1],
            numerics: "n", salt: "s")
        #expect(direct == known)
    }

    @Test func partsDoNotRunIntoEachOther() {
        func key(_ parts: [(String, String)]) -> ContentKey {
            var hasher = ContentHasher(kind: "test")
            for (name, text) in parts { hasher.combine(name, text) }
            return hasher.key()
        }
        let keys = [
            key([("a", "bc")]), key([("ab", "c")]), key([("a", "b"), ("", "c")]),
            key([("a", "b"), ("c", "")]), key([("", "abc")]), key([("abc", "")]), key([]),
        ]
        #expect(Set(keys).count == keys.count)
    }

    /// The digest of nothing but the kind, computed with another program from the layout that
    /// the hasher documents: the names of what is kept on disks must not change by accident.
    @Test func isTheDigestOfTheDocumentedBytes() {
        let key = ContentHasher(kind: "test").key()
        #expect(
            key.description
                == "dbe4f5a9bcc89c43286917397e37a1aab137739ed26ba11f081e3e7692381188")
    }

    @Test func isThirtyTwoBytes() {
        let key = ContentHasher(kind: "x").key()
        #expect(key.bytes.count == 32)
        #expect(ContentKey(bytes: key.bytes) == key)
        #expect(ContentKey(bytes: Array(key.bytes.dropLast())) == nil)
        #expect(ContentKey(bytes: key.bytes + [0]) == nil)
        let small = ContentKey(bytes: [0x0a, 0xf0] + [UInt8](repeating: 0, count: 30))
        #expect(small?.description == "0af0" + String(repeating: "0", count: 60))
    }

    @Test func picturesAreChecked() {
        func refusal(_ width: Int, _ height: Int, _ count: Int) -> RequestError.Code? {
            code { () throws(RequestError) in
                _ = try SourcePicture(
                    width: width, height: height, pixels: [UInt8](repeating: 0, count: count))
            }
        }
        #expect(refusal(2, 3, 18) == nil)
        #expect(refusal(2, 3, 17) == .invalidArgument)
        #expect(refusal(2, 3, 19) == .invalidArgument)
        #expect(refusal(0, 3, 0) == .invalidArgument)
        #expect(refusal(-1, -6, 18) == .invalidArgument)
        #expect(refusal(.max, .max, 3) == .invalidArgument)
        #expect(refusal(16_385, 1, 49_155) == .invalidArgument)
    }
}
