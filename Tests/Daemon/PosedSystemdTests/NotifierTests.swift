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
