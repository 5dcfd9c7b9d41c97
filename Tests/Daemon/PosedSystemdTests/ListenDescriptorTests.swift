internal import Glibc
internal import PosedSystemd
internal import Testing

@Suite("Inherited descriptors")
struct ListenDescriptorTests {
    @Test("are those that the environment names")
    func parse() throws {
        let bare = ["LISTEN_PID": "7", "LISTEN_FDS": "2"]
        #expect(
            try ListenDescriptors.parse(environment: bare, process: 7) == [
                ListenDescriptor(number: 3, name: "unknown"),
                ListenDescriptor(number: 4, name: "unknown"),
            ])
        let named = bare.merging(["LISTEN_FDNAMES": "posed.socket:"]) { $1 }
        #expect(
            try ListenDescriptors.parse(environment: named, process: 7).map(\.name) == [
                "posed.socket", "",
            ])
    }

    @Test(
        "are none where the process was not activated",
        arguments: [
            [:], ["LISTEN_PID": "7"], ["LISTEN_PID": "leaked"], ["LISTEN_FDS": "1"],
            ["LISTEN_PID": "8", "LISTEN_FDS": "1"], ["LISTEN_PID": "8", "LISTEN_FDS": "nonsense"],
            ["LISTEN_FDNAMES": "a"],
        ])
    func none(environment: [String: String]) throws {
        #expect(try ListenDescriptors.parse(environment: environment, process: 7).isEmpty)
    }

    @Test(
        "are refused where the protocol is broken",
        arguments: [
            ["LISTEN_PID": "7", "LISTEN_FDS": "0"], ["LISTEN_PID": "7", "LISTEN_FDS": "-1"],
            ["LISTEN_PID": "7", "LISTEN_FDS": "2147483647"], ["LISTEN_PID": "7", "LISTEN_FDS": ""],
            ["LISTEN_PID": "x", "LISTEN_FDS": "1"], ["LISTEN_PID": "0", "LISTEN_FDS": "1"],
            ["LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "one"],
        ])
    func refusals(environment: [String: String]) {
        let error = #expect(throws: SystemdError.self) {
            try ListenDescriptors.parse(environment: environment, process: 7)
        }
        #expect(error?.code == .invalidEnvironment)
    }

    @Test("are known by what the kernel says")
    func kinds() throws {
        var pair: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        defer { pair.forEach { close($0) } }
        #expect(try ListenDescriptor(number: pair[0], name: "connected").kind() == .other)

        let tcp = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(tcp) }
        #expect(try ListenDescriptor(number: tcp, name: "idle").kind() == .other)
        try #require(listen(tcp, 1) == 0)  // binds a free port
        #expect(try ListenDescriptor(number: tcp, name: "tcp").kind() == .tcp)

        let unix = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(unix) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(unix, $0, 2) }
        }
        try #require(bound == 0)  // an abstract name of the kernel's choice
        try #require(listen(unix, 1) == 0)
        #expect(try ListenDescriptor(number: unix, name: "unix").kind() == .unixStream)

        let error = #expect(throws: SystemdError.self) {
            try ListenDescriptor(number: 1_000_000, name: "gone").kind()
        }
        #expect(error?.code == .badDescriptor)
    }
}
