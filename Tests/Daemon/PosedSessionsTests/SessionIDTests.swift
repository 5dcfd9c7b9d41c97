import PosedSessions
import Testing

@Suite struct SessionIDTests {
    @Test func roundTripsThroughText() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<1000 {
            let id = SessionID.random(using: &generator)
            #expect(id.description.utf8.count == 26)
            #expect(id.description.first.map { ("a"..."h").contains($0) } == true)
            #expect(SessionID(id.description) == id)
            #expect(SessionID(name: id.name) == id)
            #expect(id.name == "sessions/" + id.description)
        }
    }

    @Test func everyBitShows() {
        struct Bits: RandomNumberGenerator {
            var words: [UInt64]
            mutating func next() -> UInt64 { words.removeFirst() }
        }
        var texts: Set<String> = []
        for bit in 0..<128 {
            var bits = Bits(
                words: bit < 64 ? [0, 1 << UInt64(bit)] : [1 << UInt64(bit - 64), 0])
            texts.insert(SessionID.random(using: &bits).description)
        }
        #expect(texts.count == 128)
    }

    @Test func doesNotRepeat() {
        let ids = Set((0..<10_000).map { _ in SessionID.random() })
        #expect(ids.count == 10_000)
    }

    @Test(arguments: [
        "", "a", "sessions/", "aaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "iaaaaaaaaaaaaaaaaaaaaaaaaa", "aAaaaaaaaaaaaaaaaaaaaaaaaa", "a1aaaaaaaaaaaaaaaaaaaaaaaa",
        "a8aaaaaaaaaaaaaaaaaaaaaaaa", "../../../etc/passwdaaaaaaa", "aéaaaaaaaaaaaaaaaaaaaaaaa",
    ])
    func refusesWhatIsNoID(_ text: String) {
        #expect(SessionID(text) == nil)
        #expect(SessionID(name: "sessions/" + text) == nil)
    }

    @Test func refusesNamesOfOtherCollections() {
        let id = SessionID.random()
        #expect(SessionID(name: id.description) == nil)
        #expect(SessionID(name: "Sessions/\(id)") == nil)
        #expect(SessionID(name: "sessions//\(id)") == nil)
        #expect(SessionID(name: "sessions/\(id)/") == nil)
        #expect(SessionID(name: "models/\(id)") == nil)
    }
}
