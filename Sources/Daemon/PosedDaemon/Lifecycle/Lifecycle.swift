package import PosedSystemd

/// The life of the daemon: decides what happens next, and does nothing itself.
///
///     starting → serving ⇄ reloading
///         ↘         ↓        ↙
///             → draining → stopped
package struct Lifecycle: Sendable {
    /// Where in its life the daemon is.
    package enum Phase: Hashable, Sendable {
        /// The model loads.
        case starting
        /// Requests are served.
        case serving
        /// Requests are served, while a new configuration is looked at.
        case reloading
        /// What was accepted is finished; nothing new is.
        case draining
        /// All is over.
        case stopped(DaemonExit)
    }

    /// What happened.
    package enum Event: Hashable, Sendable {
        /// The core serves.
        case started
        /// The core could not start, with the reason.
        case startFailed(String)
        /// The core refused the configuration, with the reason.
        case startRefused(String)
        /// Somebody sent a signal.
        case signal(DaemonSignal)
        /// The new configuration is in force; the settings that it changed.
        case reloaded(changed: [String])
        /// The old configuration stays, with the reason.
        case reloadRefused(String)
        /// The core has no more work; so many calls could not be answered.
        case drained(unfinished: Int)
        /// The time for draining is over; so many frames are not made, so many calls not answered.
        case drainExpired(frames: Int, calls: Int)
        /// The core failed, with the reason.
        case ended(String)
        /// The core has nothing left to serve, which it should only have when it drains.
        case left
    }

    /// What to do about it.
    package enum Action: Hashable, Sendable {
        /// Tell the service manager.
        case notify([NotifyField])
        /// Write a line to the log.
        case log(Gravity, String)
        /// Load the configuration again, and report.
        case reload
        /// Drain the core, with its time limit, and report.
        case drain
        /// Cancel everything that is under way.
        case abandon
        /// End the process.
        case exit(DaemonExit)
    }

    /// How grave a line of the log is.
    package enum Gravity: Hashable, Sendable {
        case notice, warning, error
    }

    /// Where in its life the daemon is.
    package private(set) var phase = Phase.starting
    private var wantsReload = false

    /// A daemon that starts.
    package init() {}

    /// What to do about an event.
    package mutating func handle(_ event: Event) -> [Action] {
        switch (phase, event) {
        case (.stopped, _): []
        case (_, .ended(let reason)): end(reason)
        case (.draining, .left): []
        case (_, .left): end("it stopped serving")
        case (.starting, .started): serve()
        case (.starting, .startFailed(let reason)):
            stop(.startFailed, [.log(.error, reason), Self.status("Could not start: \(reason)")])
        case (.starting, .startRefused(let reason)):
            stop(
                .configuration,
                [.log(.error, reason), Self.status("Configuration refused: \(reason)")])
        case (.starting, .signal(.hangup)), (.reloading, .signal(.hangup)): postpone()
        case (.starting, .signal(let signal)):
            stop(
                .drained,
                [
                    .notify([.stopping, .status("Stopping before it served")]),
                    .log(.notice, "\(signal.name) before the daemon served; stopping"), .abandon,
                ])
        case (.serving, .signal(.hangup)): reload()
        case (.serving, .signal(let signal)), (.reloading, .signal(let signal)): drain(signal)
        case (.reloading, .reloaded(let changed)): resume(changed: changed)
        case (.reloading, .reloadRefused(let reason)): resume(refused: reason)
        case (.draining, .signal(.hangup)):
            [.log(.warning, "SIGHUP while draining changes nothing")]
        case (.draining, .signal(let signal)):
            stop(
                .forced(by: signal),
                [.log(.error, "\(signal.name) again; ending at once"), .abandon])
        case (.draining, .drained(let unfinished)): finish(unfinished: unfinished)
        case (.draining, .drainExpired(let frames, let calls)): giveUp(frames: frames, calls: calls)
        default: []
        }
    }

    private static func status(_ text: String) -> Action { .notify([.status(text)]) }

    private mutating func serve() -> [Action] {
        phase = .serving
        let actions: [Action] = [
            .notify([.ready, .status("Serving")]), .log(.notice, "Serving"),
        ]
        return actions + takePostponed()
    }

    private mutating func postpone() -> [Action] {
        wantsReload = true
        return []
    }

    private mutating func takePostponed() -> [Action] {
        guard wantsReload else { return [] }
        wantsReload = false
        return reload()
    }

    private mutating func reload() -> [Action] {
        phase = .reloading
        return [
            .notify(NotifyField.reloading() + [.status("Reloading the configuration")]), .reload,
        ]
    }

    private mutating func resume(changed: [String]) -> [Action] {
        phase = .serving
        let what =
            changed.isEmpty ? "no setting changed" : "changed " + changed.joined(separator: ", ")
        return [
            .notify([.ready, .status("Serving; reloaded, \(what)")]),
            .log(.notice, "Reloaded the configuration; \(what)"),
        ] + takePostponed()
    }

    private mutating func resume(refused reason: String) -> [Action] {
        phase = .serving
        return [
            .notify([
                .ready, .status("Serving with the old configuration; reload refused: \(reason)"),
            ]),
            .log(.error, "Reload refused, the old configuration stays: \(reason)"),
        ] + takePostponed()
    }

    private mutating func drain(_ signal: DaemonSignal) -> [Action] {
        phase = .draining
        return [
            .notify([.stopping, .status("Draining")]), .log(.notice, "\(signal.name); draining"),
            .drain,
        ]
    }

    private mutating func finish(unfinished: Int) -> [Action] {
        guard unfinished > 0 else {
            return stop(
                .drained,
                [
                    Self.status("Drained"),
                    .log(.notice, "Drained; every accepted frame was answered"),
                ])
        }
        return stop(
            .drainExpired,
            [
                Self.status("Drained, \(unfinished) calls lost"),
                .log(.error, "Drained, but \(unfinished) accepted calls could not be answered"),
            ])
    }

    private mutating func giveUp(frames: Int, calls: Int) -> [Action] {
        let lost = "\(frames) accepted frames and \(calls) calls"
        return stop(
            .drainExpired,
            [
                Self.status("The drain time ran out; \(lost) were given up"),
                .log(.error, "The drain time ran out; \(lost) were given up"), .abandon,
            ])
    }

    private mutating func end(_ reason: String) -> [Action] {
        stop(
            .failed,
            [
                Self.status("Failed: \(reason)"), .log(.error, "The core ended: \(reason)"),
                .abandon,
            ])
    }

    private mutating func stop(_ status: DaemonExit, _ actions: [Action]) -> [Action] {
        phase = .stopped(status)
        return actions + [.exit(status)]
    }
}
