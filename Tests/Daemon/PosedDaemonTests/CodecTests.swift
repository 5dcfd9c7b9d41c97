internal import PosedBase
internal import PosedDaemon
internal import Testing

@Suite("Values of the configuration")
struct CodecTests {
    @Test(
        "are durations with units",
        arguments: [
            ("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("1h30m", 5_400_000),
            ("1d", 86_400_000), ("1s500ms", 1_500), ("90m", 5_400_000),
        ])
    func durations(text: String, milliseconds: Int) throws {
        let codec = Codec.duration(.zero...(.seconds(200_000)))
        let value = try #require(codec.read(.scalar(text)))
        #expect(value == .milliseconds(milliseconds))
        #expect(codec.read(.scalar(codec.write(value))) == value)
    }

    @Test(
        "are no durations otherwise",
        arguments: [
            "", "5", "s", "-1s", "1.5s", "1 s", "1S", "9223372036854775807d", "1h 30m", "٣s", "3d",
        ])
    func notDurations(text: String) {
        #expect(Codec.duration(.zero...(.seconds(200_000))).read(.scalar(text)) == nil)
    }

    @Test(
        "are numbers of bytes",
        arguments: [
            ("0", 0), ("4096", 4096), ("64KiB", 65_536), ("1.5GiB", 1_610_612_736),
            ("2MB", 2_000_000), ("1 TiB", 1 << 40), ("10B", 10),
        ])
    func bytes(text: String, count: Int) throws {
        let codec = Codec.bytes(0...(1 << 50))
        #expect(codec.read(.scalar(text)) == count)
        #expect(codec.read(.scalar(codec.write(count))) == count)
    }

    @Test(
        "are no numbers of bytes otherwise",
        arguments: [
            "", "-1", "1.5", "1.5.5KiB", ".5KiB", "5.", "1KIB", "1e3", "99999999TiB", "0.3B",
        ])
    func notBytes(text: String) {
        #expect(Codec.bytes(0...(1 << 50)).read(.scalar(text)) == nil)
    }

    @Test("are file modes in octal")
    func modes() {
        #expect(Codec.mode.read(.scalar("0660")) == 0o660)
        #expect(Codec.mode.read(.scalar("600")) == 0o600)
        #expect(Codec.mode.write(0o60) == "\"0060\"")
        for text in ["", "0888", "01777", "rw-", "-660", "66", "0o660"] {
            #expect(Codec.mode.read(.scalar(text)) == nil)
        }
    }

    @Test("are numbers and words of a range")
    func numbers() {
        let whole = Codec.integer(1...8)
        #expect(whole.read(.scalar("8")) == 8)
        for text in ["0", "9", "1.0", "", " 1", "0x1", "1_0"] {
            #expect(whole.read(.scalar(text)) == nil)
        }
        let number = Codec.number(0...2)
        #expect(number.read(.scalar("1.5")) == 1.5)
        for text in ["nan", "inf", "2.1", "-0.1", "one"] {
            #expect(number.read(.scalar(text)) == nil)
        }
        #expect(Codec.flag.read(.scalar("true")) == true)
        for text in ["yes", "True", "1", "on", ""] {
            #expect(Codec.flag.read(.scalar(text)) == nil)
        }
        #expect(whole.read(.list(["1"])) == nil)
    }

    @Test("may be absent where they are optional")
    func optionals() {
        let codec = Codec<Int?>.optional(.integer(1...8))
        for text in ["none", "", "~", "null"] {
            #expect(codec.read(.scalar(text)) == .some(nil))
        }
        #expect(codec.read(.scalar("3")) == 3)
        #expect(codec.read(.scalar("9")) == nil)
        #expect(codec.write(nil) == "none")
    }

    @Test("may be lists, of one too")
    func lists() {
        let codec = Codec<[HostPort]>.list(of: .address, "addresses")
        #expect(
            codec.read(.list(["[::1]:1", "a.b:2"]))?.map(\.description) == ["[::1]:1", "a.b:2"])
        #expect(codec.read(.scalar("a.b:2"))?.count == 1)
        #expect(codec.read(.scalar("none")) == [])
        #expect(codec.read(.list(["a.b:2", "b"])) == nil)
        #expect(codec.write([HostPort(host: "::1", port: 1)]) == "[\"[::1]:1\"]")
    }

    @Test(
        "are addresses with a port",
        arguments: [
            "", ":1", "host", "host:", "host:65536", "host:-1", "host:+1", "::1:80", "[::1]",
            "[host]:80", "ho st:80", "host:8 0", "unix:/tmp/x:1", "[]:1",
        ])
    func notAddresses(text: String) {
        #expect(HostPort(parsing: text) == nil)
    }

    @Test("tell the machine's own addresses from others")
    func loopback() {
        for text in ["127.0.0.1:1", "127.8.9.1:1", "[::1]:1", "localhost:1"] {
            #expect(HostPort(parsing: text)?.isLoopback == true)
        }
        for text in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1", "127.evil.org:1"] {
            #expect(HostPort(parsing: text)?.isLoopback == false)
        }
    }

    @Test("say who may call")
    func identities() throws {
        func matches(_ pattern: String, _ identity: String) throws -> Bool {
            try #require(IdentityPattern(parsing: pattern)).matches(identity)
        }
        #expect(try matches("*", "unix:0"))
        #expect(try !matches("*", "anonymous"))
        #expect(try matches("anonymous", "anonymous"))
        #expect(try matches("unix:*", "unix:1000"))
        #expect(try !matches("unix:*", "token:unix"))
        #expect(try matches("unix:1000", "unix:1000"))
        #expect(try !matches("unix:1000", "unix:10000"))
        #expect(try matches("mtls:CN=a,O=b", "mtls:CN=a,O=b"))
        for text in ["", "unix", "unix:", "unix:root", "unix:-1", "user:x", "**", "anonymous:x"] {
            #expect(IdentityPattern(parsing: text) == nil)
        }
    }

    @Test("place the parts of a model")
    func placements() {
        for text in ["auto", "blas", "vae=blas,transformer=cpu"] {
            #expect(Codec.placement.read(.scalar(text)) == text)
        }
        for text in ["", "head=blas", "vae=", "vae=blas,vae=cpu"] {
            #expect(Codec.placement.read(.scalar(text)) == nil)
        }
    }
}
