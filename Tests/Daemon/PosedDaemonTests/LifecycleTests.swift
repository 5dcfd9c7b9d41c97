internal import PosedDaemon
internal import PosedSystemd
internal import Testing

@Suite("The life of the daemon")
struct LifecycleTests {
    private func status(_ actions: [Lifecycle.Action]) -> [String] {
        actions.compactMap { action in
            guard case .notify(let fields) = action else { return nil }
            return fields.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        }
    }

    @Test("begins, serves, drains and ends")
    func ordinary() {
        var life = Lifecycle()
        #expect(life.phase == .starting)
        #expect(status(life.handle(.started)) == ["READY=1 STATUS=Serving"])
        #expect(life.phase == .serving)
        let drain = life.handle(.signal(.terminate))
        #expect(status(drain) == ["STOPPING=1 STATUS=Draining"])
        #expect(drain.last == .drain)
        #expect(life.handle(.drained(unfinished: 0)).last == .exit(.drained))
        #expect(life.phase == .stopped(.drained))
        #expect(life.handle(.signal(.terminate)).isEmpty)
        #expect(life.handle(.ended("late")).isEmpty)
    }

    @Test("does not begin where it cannot")
    func failure() {
        var life = Lifecycle()
        let actions = life.handle(.startFailed("no model"))
        #expect(status(actions) == ["STATUS=Could not start: no model"])
        #expect(actions.last == .exit(.startFailed))
    }

    @Test("does not begin where its core refuses the configuration")
    func refusal() {
        var life = Lifecycle()
        let actions = life.handle(.startRefused("no such solver"))
        #expect(status(actions) == ["STATUS=Configuration refused: no such solver"])
        #expect(actions.contains(.log(.error, "no such solver")))
        #expect(actions.last == .exit(.configuration))
    }

    @Test("can be told to stop before it began")
    func early() {
        var life = Lifecycle()
        let actions = life.handle(.signal(.interrupt))
        #expect(actions.contains(.abandon))
        #expect(actions.last == .exit(.drained))
    }

    @Test("says when frames were lost")
    func expired() {
        var late = Lifecycle()
        _ = late.handle(.started)
        _ = late.handle(.signal(.terminate))
        let actions = late.handle(.drainExpired(frames: 7, calls: 2))
        let sentence = "The drain time ran out; 7 accepted frames and 2 calls were given up"
        #expect(actions.contains(.log(.error, sentence)))
        #expect(status(actions) == ["STATUS=\(sentence)"])
        #expect(actions.contains(.abandon))
        #expect(actions.last == .exit(.drainExpired))

        var lost = Lifecycle()
        _ = lost.handle(.started)
        _ = lost.handle(.signal(.interrupt))
        #expect(lost.handle(.drained(unfinished: 3)).last == .exit(.drainExpired))
    }

    @Test("ends at once when told twice", arguments: [DaemonSignal.terminate, .interrupt])
    func twice(signal: DaemonSignal) {
        var life = Lifecycle()
        _ = life.handle(.started)
        _ = life.handle(.signal(.terminate))
        let actions = life.handle(.signal(signal))
        #expect(actions.contains(.abandon))
        #expect(actions.last == .exit(DaemonExit(rawValue: 128 + signal.rawValue)))
    }

    @Test("reloads, one at a time, and none is lost")
    func reload() {
        var life = Lifecycle()
        _ = life.handle(.signal(.hangup))
        #expect(life.phase == .starting)
        let started = life.handle(.started)
        #expect(started.last == .reload)
        #expect(life.phase == .reloading)
        #expect(life.handle(.signal(.hangup)).isEmpty)
        let again = life.handle(.reloaded(changed: ["limits.maxNfe"]))
        #expect(again.last == .reload)
        #expect(status(again).first == "READY=1 STATUS=Serving; reloaded, changed limits.maxNfe")
        #expect(status(again).last?.hasPrefix("RELOADING=1 MONOTONIC_USEC=") == true)
        let refused = life.handle(.reloadRefused("line 3 is wrong"))
        #expect(
            status(refused) == [
                "READY=1 STATUS=Serving with the old configuration; reload refused: line 3 is wrong"
            ])
        #expect(life.phase == .serving)
    }

    @Test("stops in the middle of a reload, which then changes nothing")
    func interruptedReload() {
        var life = Lifecycle()
        _ = life.handle(.started)
        _ = life.handle(.signal(.hangup))
        #expect(life.handle(.signal(.terminate)).last == .drain)
        #expect(life.handle(.reloaded(changed: [])).isEmpty)
        #expect(life.phase == .draining)
        #expect(!life.handle(.signal(.hangup)).contains(.reload))
    }

    @Test("fails where the core ends by itself", arguments: [false, true])
    func ended(draining: Bool) {
        var life = Lifecycle()
        _ = life.handle(.started)
        if draining { _ = life.handle(.signal(.terminate)) }
        let actions = life.handle(.ended("the device is lost"))
        #expect(actions.last == .exit(.failed))
        #expect(status(actions) == ["STATUS=Failed: the device is lost"])
    }

    @Test("fails where the core leaves, unless it drained")
    func left() {
        var life = Lifecycle()
        _ = life.handle(.started)
        #expect(life.handle(.left).last == .exit(.failed))
        var draining = Lifecycle()
        _ = draining.handle(.started)
        _ = draining.handle(.signal(.terminate))
        #expect(draining.handle(.left).isEmpty)
        #expect(draining.handle(.drained(unfinished: 0)).last == .exit(.drained))
    }
}
