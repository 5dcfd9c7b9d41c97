import Testing

import posectl

@Suite struct TextTests {
    @Test func controlCharactersDoNotPass() {
        #expect(Text.line("a\u{1B}[31mb\nc\td\u{7}") == "a [31mb c d")
        #expect(Text.line("  a   b ") == "a b")
    }

    @Test(arguments: [
        (0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (1 << 30, "1 GiB"),
        (Int64.max, "8388608 TiB"),
    ])
    func sizes(count: Int64, text: String) {
        #expect(Text.bytes(count) == text)
    }

    @Test(arguments: [
        (0.0, "0 s"), (59.4, "59 s"), (61, "1 min 1 s"), (3600, "1 h"), (90_061, "1 d 1 h"),
        (-5, "0 s"), (Double.infinity, "11574074 d 1 h"),
    ])
    func spans(seconds: Double, text: String) {
        #expect(Text.span(seconds: seconds) == text)
    }

    @Test func numbersAndShares() {
        #expect(Text.number(3) == "3")
        #expect(Text.number(3.14159, decimals: 2) == "3.14")
        #expect(Text.number(.nan) == "–")
        #expect(Text.share(1, of: 3) == "33.3 %")
        #expect(Text.share(0, of: 0) == "–")
        #expect(Text.milliseconds(12.34) == "12.3 ms")
        #expect(Text.milliseconds(12_340) == "12.3 s")
    }
}
