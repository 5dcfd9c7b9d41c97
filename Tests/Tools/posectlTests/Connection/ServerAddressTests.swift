import ArgumentParser
import PosedRPC
import Testing

import posectl

@Suite struct ServerAddressTests {
    @Test(arguments: [
        ("unix:/run/x.sock", "/run/x.sock"), ("unix:///run/x.sock", "/run/x.sock"),
        ("/run/x.sock", "/run/x.sock"), ("./x.sock", "./x.sock"), ("unix:x.sock", "x.sock"),
    ])
    func sockets(text: String, path: String) {
        #expect(ServerAddress(argument: text)?.target == .unix(path: path))
    }

    @Test(arguments: [
        ("localhost:7443", "localhost", 7443), ("[::1]:80", "::1", 80),
        ("10.0.0.1:1", "10.0.0.1", 1),
    ])
    func hosts(text: String, host: String, port: Int) {
        let address = ServerAddress(argument: text)
        #expect(address?.target == .tcp(host: host, port: port))
        #expect(address?.description == text)
    }

    @Test(arguments: [
        "", "unix:", "localhost", "localhost:", "localhost:0", "localhost:65536", ":80", "::1:80",
        "a/b:80", "localhost:http",
    ])
    func noAddresses(text: String) {
        #expect(ServerAddress(argument: text) == nil)
    }

    /// Where a token needs TLS.
    @Test(arguments: [
        ("localhost:1", false), ("127.0.0.1:1", false), ("127.9.9.9:1", false), ("[::1]:1", false),
        ("/run/x.sock", false), ("10.0.0.1:1", true), ("127.0.0.1.example:1", true),
        ("127.example:1", true), ("localhost.example:1", true), ("[::2]:1", true),
    ])
    func othersCouldListen(text: String, isRemote: Bool) {
        #expect(ServerAddress(argument: text)?.isRemote == isRemote)
    }

    @Test func theEnvironmentComesBeforeTheDefault() throws {
        #expect(
            try ServerAddress.inherited([:]).target == .unix(path: ServerAddress.defaultPath))
        #expect(
            try ServerAddress.inherited(["POSED_ADDRESS": "host:9"]).target
                == .tcp(host: "host", port: 9))
        #expect(throws: ValidationError.self) {
            try ServerAddress.inherited(["POSED_ADDRESS": "nonsense"])
        }
    }
}
