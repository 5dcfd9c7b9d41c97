internal import PosedSystemd
internal import Testing

@Suite("The watchdog")
struct WatchdogTests {
    @Test("is there when it is meant for this process")
    func settings() throws {
        #expect(try WatchdogSettings(environment: [:], process: 7) == nil)
        #expect(try WatchdogSettings(environment: ["WATCHDOG_PID": "7"], process: 7) == nil)
        let bare = try WatchdogSettings(environment: ["WATCHDOG_USEC": "20000000"], process: 7)
        #expect(bare?.interval == .seconds(20))
        #expect(bare?.period == .seconds(5))
        let mine = ["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "7"]
        #expect(try WatchdogSettings(environment: mine, process: 7)?.interval == .milliseconds(1))
        #expect(try WatchdogSettings(environment: mine, process: 8) == nil)
    }

    @Test("has no odd values", arguments: ["0", "-1", "", "ten", "18446744073709551615", "1e6"])
    func refusals(text: String) {
        let error = #expect(throws: SystemdError.self) {
            try WatchdogSettings(environment: ["WATCHDOG_USEC": text], process: 7)
        }
        #expect(error?.code == .invalidEnvironment)
        #expect(throws: SystemdError.self) {
            try WatchdogSettings(
                environment: ["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "me"], process: 7)
        }
    }

    @Test("is fed when the work moves, and only then")
    func feeding() {
        var feeder = WatchdogFeeder(count: 0)
        #expect(feeder.look(count: 0) == .withhold(looks: 1))
        #expect(feeder.look(count: 1) == .feed)
        #expect(feeder.look(count: 1) == .withhold(looks: 1))
        #expect(feeder.look(count: 1) == .withhold(looks: 2))
        #expect(feeder.look(count: 1001) == .feed)
    }
}
