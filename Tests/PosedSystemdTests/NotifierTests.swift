internal import Glibc
internal import PosedSystemd
internal import PosedTesting
internal import Testing

@Suite("Notifications")
struct NotifierTests {
    @Test(
        "reach a socket in the file system and one in the abstract name space",
        arguments: [false, true])
    func arrive(abstract: Bool) throws {
        let sink = try NotifySink(abstract: abstract)
        let notifier = try Notifier(environment: ["NOTIFY_SOCKET": sink.address])
        try notifier.send(.ready, .status("Serving on 2 endpoints"))
        let message = try #require(sink.receive())
        #expect(message.text == "READY=1\nSTATUS=Serving on 2 endpoints\n")
        #expect(message.process == getpid())
    }

    @Test("are silent without a manager")
    func silent() throws {
        try Notifier(environment: [:]).send(.ready)
        try Notifier(environment: ["NOTIFY_SOCKET": ""]).send(.ready)
        try Notifier.silent.send(.watchdog)
    }

    @Test("tell everything that the protocol has words for")
    func fields() {
        #expect(
            NotifyField.encode([.stopping, .watchdog]) == Array("STOPPING=1\nWATCHDOG=1\n".utf8))
        #expect(NotifyField.extendTimeout(.seconds(30)).value == "30000000")
        #expect(NotifyField.extendTimeout(.microseconds(1)).value == "1")
        #expect(NotifyField.extendTimeout(.zero).value == "1")
        #expect(NotifyField.extendTimeout(.seconds(Int64.max)).value == String(Int64.max))
        #expect(NotifyField.errno(ENOMEM).value == "12")
        #expect(NotifyField.mainProcess(7).key == "MAINPID")
        #expect(NotifyField.watchdogTrigger.value == "trigger")
        let reloading = NotifyField.reloading(at: MonotonicMicroseconds(rawValue: 17))
        #expect(NotifyField.encode(reloading) == Array("RELOADING=1\nMONOTONIC_USEC=17\n".utf8))
    }

    @Test("read the clock that systemd reads")
    func monotonic() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let before = UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000
        #expect(MonotonicMicroseconds.now().rawValue >= before)
    }

    @Test("cannot be made to say more than one line")
    func injection() {
        let field = NotifyField.status("model\nWATCHDOG=trigger\r\u{0}\u{7F}é")
        #expect(field.value == "model WATCHDOG=trigger   é")
    }

    @Test("carry descriptors to be stored")
    func descriptors() throws {
        let sink = try NotifySink(abstract: true)
        let notifier = Notifier(address: try NotifyAddress(parsing: sink.address))
        var pipes: [Int32] = [0, 0]
        try #require(pipe(&pipes) == 0)
        defer { pipes.forEach { close($0) } }
        try notifier.store(descriptors: pipes, name: "sessions", poll: false)
        let message = try #require(sink.receive())
        #expect(message.text == "FDSTORE=1\nFDNAME=sessions\nFDPOLL=0\n")
        try #require(message.descriptors.count == 2)
        defer { message.descriptors.forEach { close($0) } }
        // What was stored is the pipe itself: what goes in at one end comes out at the copy of the other.
        var byte: UInt8 = 42
        #expect(write(pipes[1], &byte, 1) == 1)
        var back: UInt8 = 0
        #expect(read(message.descriptors[0], &back, 1) == 1)
        #expect(back == 42)

        try notifier.forgetDescriptors(name: "sessions")
        #expect(sink.receive()?.text == "FDSTOREREMOVE=1\nFDNAME=sessions\n")
    }

    @Test("report a manager that is not there")
    func nobody() throws {
        let notifier = try Notifier(environment: ["NOTIFY_SOCKET": "/nowhere/notify"])
        let error = #expect(throws: SystemdError.self) { try notifier.send(.ready) }
        #expect(error?.code == .sendFailed)
        #expect(error?.errno == ENOENT)
    }

    @Test("never wait for a manager that does not read")
    func full() throws {
        let sink = try NotifySink(abstract: true)
        let notifier = try Notifier(environment: ["NOTIFY_SOCKET": sink.address])
        let error = #expect(throws: SystemdError.self) {
            for _ in 0..<100_000 { try notifier.send(.watchdog) }
        }
        #expect(error?.errno == EAGAIN)
    }

    @Test(
        "refuse addresses that are none",
        arguments: [
            "relative", "@", "/", "vsock:2:1234", "/" + String(repeating: "x", count: 107),
            "@" + String(repeating: "x", count: 108),
        ])
    func addresses(text: String) {
        let error = #expect(throws: SystemdError.self) {
            try Notifier(environment: ["NOTIFY_SOCKET": text])
        }
        #expect(error?.code == .unsupportedAddress)
    }

    @Test("take the longest address that the kernel has room for")
    func longest() throws {
        let name = String(repeating: "x", count: 107)
        #expect(try NotifyAddress(parsing: "@" + name) == .abstract(name))
        #expect(try NotifyAddress(parsing: "/" + name.dropLast()) == .path("/" + name.dropLast()))
    }
}
