internal import CPosedGRPC
internal import Glibc

/// What the door's thread works with: its sockets, and what each of them waits for.
///
/// Sendable because only the door's thread uses it once it runs.
final class DoorLoop: @unchecked Sendable {
    /// A connection that has not yet said what it speaks.
    private struct Newcomer {
        let descriptor: Descriptor
        let peer: Peer
        let deadline: ContinuousClock.Instant
        /// It has said something, but not all: looked at again by the clock, as `poll` would not wait.
        var begun = false
    }

    /// A connection that is served; the library has a second descriptor of its socket.
    private struct Guest {
        let descriptor: Descriptor
        let peer: Peer
        let gone: @Sendable () -> Void
    }

    /// How long to wait before looking again at what `poll` cannot wait for.
    private static let glance = Duration.milliseconds(10)
    private static let pauseAfterFailure = Duration.milliseconds(100)

    /// How often to tick.
    var interval: Duration {
        didSet { nextTick = min(nextTick, .now.advanced(by: interval)) }
    }
    private var listeners: [ListeningSocket]
    private var newcomers: [Newcomer] = []
    private var guests: [Guest] = []
    private var pausedUntil: ContinuousClock.Instant?
    private var nextTick: ContinuousClock.Instant
    private let configuration: ServerConfiguration
    private let host: Door.Host

    init(
        listeners: [ListeningSocket], configuration: ServerConfiguration, interval: Duration,
        host: Door.Host
    ) {
        self.listeners = listeners
        self.configuration = configuration
        self.interval = interval
        self.host = host
        nextTick = .now.advanced(by: interval)
    }

    func stopListening() {
        listeners = []
        newcomers = []
    }

    func end() {
        stopListening()
        for guest in guests { host.event(.connectionClosed(guest.peer)) }
        guests = []
    }

    /// Waits for the next event, at most until the next tick, and deals with it.
    func wait(wake: Descriptor) {
        if let until = pausedUntil, until <= .now { pausedUntil = nil }
        let open = pausedUntil == nil ? listeners : []
        var polled = [pollfd(fd: wake.number, events: Int16(POLLIN), revents: 0)]
        for listener in open {
            polled.append(
                pollfd(fd: listener.descriptor.number, events: Int16(POLLIN), revents: 0))
        }
        for newcomer in newcomers {
            let events = newcomer.begun ? 0 : Int16(POLLIN)
            polled.append(pollfd(fd: newcomer.descriptor.number, events: events, revents: 0))
        }
        for guest in guests {
            let events = Int16(POSED_POLL_PEER_CLOSED)
            polled.append(pollfd(fd: guest.descriptor.number, events: events, revents: 0))
        }
        let count = poll(&polled, nfds_t(polled.count), timeout)
        guard count >= 0 else { return }
        let ready = polled.dropFirst().map { $0.revents != 0 }
        let newcomersReady = ready[open.count..<(open.count + newcomers.count)]
        seeOff(Array(ready[(open.count + newcomers.count)...]))
        greet(Array(newcomersReady))
        for (listener, isReady) in zip(open, ready) where isReady { accept(listener) }
        if nextTick <= .now {
            nextTick = .now.advanced(by: interval)
            host.tick()
        }
    }

    /// Milliseconds until the clock has something to say.
    private var timeout: Int32 {
        let now = ContinuousClock.now
        var left = now.duration(to: min(nextTick, now.advanced(by: interval)))
        if let pausedUntil { left = min(left, now.duration(to: pausedUntil)) }
        for newcomer in newcomers {
            left = min(left, newcomer.begun ? DoorLoop.glance : now.duration(to: newcomer.deadline))
        }
        return max(0, left.wholeMilliseconds)
    }

    private func accept(_ listener: ListeningSocket) {
        while true {
            let number = posed_socket_accept(listener.descriptor.number)
            guard number >= 0 else {
                return acceptFailed(errno)
            }
            let descriptor = Descriptor(number, ledger: configuration.ledger)
            let peer = descriptor.peer
            guard guests.count + newcomers.count < configuration.maxConnections else {
                host.event(
                    .connectionRefused(
                        peer, reason: "\(configuration.maxConnections) connections are open"))
                continue
            }
            let deadline = ContinuousClock.now.advanced(by: configuration.greetingTimeout)
            newcomers.append(Newcomer(descriptor: descriptor, peer: peer, deadline: deadline))
        }
    }

    private func acceptFailed(_ reason: Int32) {
        switch reason {
        case EAGAIN, EINTR, ECONNABORTED: return
        default:
            // Out of descriptors or memory: asking again at once would only burn the processor.
            pausedUntil = .now.advanced(by: DoorLoop.pauseAfterFailure)
            host.event(.acceptPaused(reason: SystemError.text(reason)))
        }
    }

    private func greet(_ ready: [Bool]) {
        let now = ContinuousClock.now
        var undecided: [Newcomer] = []
        for (index, newcomer) in newcomers.enumerated() {
            var newcomer = newcomer
            var verdict = Greeting.Verdict.undecided
            if ready[index] || newcomer.begun { verdict = look(&newcomer) }
            switch verdict {
            case .welcome: admit(newcomer)
            case .wrong:
                refuse(newcomer, "it does not speak HTTP/2")
            case .undecided where newcomer.deadline <= now:
                refuse(newcomer, "it has not said what it speaks in time")
            case .undecided: undecided.append(newcomer)
            }
        }
        newcomers = undecided
    }

    /// Looks at the first bytes without taking them.
    private func look(_ newcomer: inout Newcomer) -> Greeting.Verdict {
        var bytes = [UInt8](repeating: 0, count: Greeting.expected.count)
        let count = recv(
            newcomer.descriptor.number, &bytes, bytes.count,
            Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        if count < 0 { return errno == EAGAIN || errno == EINTR ? .undecided : .wrong }
        if count == 0 { return .wrong }
        newcomer.begun = true
        return Greeting.judge(bytes[..<count])
    }

    private func refuse(_ newcomer: Newcomer, _ reason: String) {
        host.event(.connectionRefused(newcomer.peer, reason: reason))
    }

    private func admit(_ newcomer: Newcomer) {
        // The library gets, and in the end closes, a second descriptor; ours shows the end.
        let copy = fcntl(newcomer.descriptor.number, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return refuse(newcomer, SystemError.last) }
        guard let gone = host.admit(copy, newcomer.peer) else {
            return refuse(newcomer, "the server has no room for it")
        }
        guests.append(Guest(descriptor: newcomer.descriptor, peer: newcomer.peer, gone: gone))
        host.event(.connectionOpened(newcomer.peer))
    }

    private func seeOff(_ ended: [Bool]) {
        guard ended.contains(true) else { return }
        var staying: [Guest] = []
        for (guest, isOver) in zip(guests, ended) {
            if isOver {
                guest.gone()
                host.event(.connectionClosed(guest.peer))
            } else {
                staying.append(guest)
            }
        }
        guests = staying
    }
}
