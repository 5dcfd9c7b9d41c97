import PosedSessions
import Testing

@Suite struct StateFileTests {
    private static let fingerprint = ContentHasher(kind: "model").key()

    private let file = StateFile(
        kind: .pictures, fingerprint: fingerprint,
        blocks: [
            StateFile.Block(.size, [1, 2, 3, 4, 5, 6, 7, 8]), StateFile.Block(.pixels, []),
            StateFile.Block(.pixels, (0..<60).map { $0 }),
        ])

    private var bytes: [UInt8] { file.encoded().flatMap { $0 } }

    private func failure(_ bytes: [UInt8], _ kind: StateFile.Kind = .pictures) -> String? {
        do throws(StorageError) {
            _ = try StateFile(bytes, expecting: kind)
            return nil
        } catch {
            return error.code == .damaged ? error.message : "wrong code \(error.code)"
        }
    }

    @Test func roundTrips() throws {
        #expect(try StateFile(bytes, expecting: .pictures) == file)
        let empty = StateFile(kind: .session, fingerprint: Self.fingerprint, blocks: [])
        #expect(
            try StateFile(empty.encoded().flatMap { $0 }, expecting: .session) == empty)
    }

    @Test func everyFlippedBitIsFound() {
        let bytes = bytes
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                #expect(failure(changed) != nil, "bit \(bit) of byte \(index)")
            }
        }
    }

    @Test func everyOtherLengthIsFound() {
        let bytes = bytes
        for length in bytes.indices { #expect(failure(Array(bytes[..<length])) != nil) }
        for extra in 1...100 {
            #expect(failure(bytes + [UInt8](repeating: 0, count: extra)) != nil)
        }
    }

    @Test func exchangedBlocksAreFound() {
        let bytes = bytes
        // The table's entries 0 and 2 in each other's place.
        var changed = bytes
        changed.replaceSubrange(56..<104, with: bytes[152..<200])
        changed.replaceSubrange(152..<200, with: bytes[56..<104])
        #expect(failure(changed) == "its header does not have the checksum that it says")
    }

    @Test func saysWhatIsWrong() {
        #expect(failure([]) == "it does not begin as a file of posed's does")
        #expect(failure(Array("posedsta".utf8)) == "it ends within its header, after 8 bytes")
        #expect(failure(bytes, .session) == "it is of kind 2, and 1 was expected")
        #expect(failure(bytes + [0]) == "1 bytes follow its last block")
        #expect(failure(bytes.dropLast()) == "block 2 has 60 bytes, but 59 are left")
        var newer = bytes
        newer[8] = 2
        #expect(failure(newer) == "it has version 2 of the layout, and 1 is understood")
        var crowded = bytes
        crowded[51] = 255
        #expect(failure(crowded) == "it has at most 4096 blocks, but says 4278190083")
        #expect(
            failure(Array(repeating: 0, count: 4096))
                == "it does not begin as a file of posed's does")
    }

    /// Whoever can write there can make checksums too: lengths and counts are still looked at.
    @Test func honestChecksumsOfNonsenseAreRefused() throws {
        let enormous = StateFile(
            kind: .pictures, fingerprint: Self.fingerprint,
            blocks: [StateFile.Block(.pixels, [1])])
        var header = enormous.encoded()[0].dropLast(32)
        header.replaceSubrange(64..<72, with: [UInt8](repeating: 255, count: 8))
        let message = failure(Array(header) + StateFile.digest(header) + [1])
        #expect(message == "block 0 has 18446744073709551615 bytes, but 1 are left")
    }

    @Test(arguments: 0..<200)
    func noiseIsRefused(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 0...400, using: &generator)
        var noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        #expect(failure(noise) != nil)
        noise.replaceSubrange(0..<min(12, count), with: bytes.prefix(min(12, count)))
        #expect(failure(noise) != nil)
    }

    @Test func namesStayInTheDirectory() throws {
        let id = try #require(SessionID("abcdefghijklmnopqrstuvwxyz"))
        let plain: [StateFileName] = [.session(id), .pictures(id)]
        let derived = plain.flatMap { [StateFileName.unfinished($0), .corrupt($0)] }
        for name in plain + derived {
            #expect(StateFileName(name.text) == name)
            #expect(!name.text.contains("/") && name.text.utf8.count < 255)
        }
        let others = [
            "", ".", "..", "lock", "a.session", "../\(id).session", "\(id)", "\(id).session.",
            "\(id).Session", ".\(id).session", "\(id).session.unfinished", "\(id).conditioning",
            "\(id).session.corrupt.corrupt", "..\(id).session.unfinished", "session.\(id)",
            "/etc/\(id).pictures", "\(id).session\0",
        ]
        for other in others { #expect(StateFileName(other) == nil, "\(other)") }
    }
}
