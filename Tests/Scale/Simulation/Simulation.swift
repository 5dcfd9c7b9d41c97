import HeapModule

/// How sessions find a replica.
package enum Policy: Hashable, Sendable, CustomStringConvertible {
    /// A consistent hash of the session's name: HAProxy with that weight of each server and, bounded, that
    /// `hash-balance-factor`.
    case hash(weight: Int, factor: Int?)
    /// Whoever has least to do; back to where the session was while there is room; streams move from those that are behind to
    /// those that have nothing to do.
    case moving

    package var description: String {
        switch self {
        case .hash(let weight, nil): "hash, weight \(weight)"
        case .hash(let weight, let factor?): "bounded \(factor), weight \(weight)"
        case .moving: "least loaded, moving"
        }
    }
}

/// Replicas, clients and a router in simulated time.
package struct Simulation {
    private enum Event {
        /// A session's next visit begins, or its lost stream is made anew.
        case open(Int)
        /// The client sends the next pose of the session's visit.
        case pose(Int)
        /// The device of a replica has carried out a step.
        case step(Int, life: Int, cost: Double)
        case death(Int)
        case birth(Int)
        /// The router looks for streams to move.
        case look
    }

    private struct Entry: Comparable {
        let at: Moment
        let number: Int
        let event: Event

        static func < (a: Entry, b: Entry) -> Bool { (a.at, a.number) < (b.at, b.number) }
        static func == (a: Entry, b: Entry) -> Bool { a.number == b.number }
    }

    /// A session as its client and the router see it.
    private struct State {
        var visit = 0
        var sent = 0
        /// When the poses without an answer came, oldest first.
        var open: [Moment] = []
        /// Those that no replica has: the client keeps them back.
        var waiting: [Moment] = []
        var underWay = 0
        /// Where its stream is; nil between visits and while it is made anew.
        var replica: Int?
        /// Where it was last.
        var home: Int?
        var isReady = false
        var wasEncoded = false
    }

    /// posed-client's first pause before it makes a lost connection anew, in seconds.
    private static let reconnection = 0.1
    /// Poses under way that posectl and posed-client have at most.
    private static let window = 2
    /// Until a replica that died is back, in seconds: a restart, and loading the model.
    private static let absence = 30.0
    /// Seconds between two looks of the router that moves streams.
    private static let looking = 0.5
    /// The share of a replica's time that streams may want before others are sent elsewhere.
    private static let comfort = 0.8
    /// Frames behind which streams are moved away.
    private static let tooMany = 6

    private let workload: Workload
    private let policy: Policy
    private var chance: Chance
    private var now = Moment()
    private var events = Heap<Entry>()
    private var scheduled = 0
    private var replicas: [Replica]
    private var ring: Ring
    private var states: [State]
    private let names: [String]
    /// The share of each replica's time that its streams want.
    private var demand: [Double]
    private var ended = 0
    private var outcome: Outcome

    private init(_ workload: Workload, _ policy: Policy, seed: UInt64) {
        self.workload = workload
        self.policy = policy
        chance = Chance(seed: seed &+ 1)
        replicas = (0..<workload.replicas).map { _ in Replica() }
        ring =
            switch policy {
            case .hash(let weight, let factor):
                Ring(servers: workload.replicas, weight: weight, factor: factor)
            case .moving: Ring(servers: workload.replicas, weight: 1, factor: nil)
            }
        states = workload.sessions.map { _ in State() }
        var naming = Chance(seed: seed &+ 2)
        names = workload.sessions.map { _ in
            "sessions/" + String(naming.next(), radix: 36) + String(naming.next(), radix: 36)
        }
        demand = Array(repeating: 0, count: workload.replicas)
        outcome = Outcome(policy: policy, workload: workload)
    }

    /// Runs until every session has all its frames.
    package static func run(_ workload: Workload, _ policy: Policy, seed: UInt64) -> Outcome {
        var simulation = Simulation(workload, policy, seed: seed)
        simulation.begin()
        while simulation.ended < workload.sessions.count, let entry = simulation.events.popMin() {
            simulation.now = entry.at
            simulation.handle(entry.event)
        }
        simulation.outcome.end = simulation.now.seconds
        simulation.outcome.lost = simulation.states.reduce(0) { $0 + $1.open.count }
        simulation.outcome.unended = workload.sessions.count - simulation.ended
        return simulation.outcome
    }

    private mutating func schedule(_ event: Event, in seconds: Double) {
        scheduled += 1
        events.insert(
            Entry(at: now.advanced(by: .seconds(seconds)), number: scheduled, event: event))
    }

    private mutating func begin() {
        for session in states.indices {
            schedule(.open(session), in: workload.sessions[session][0].wait)
        }
        for death in workload.deaths { schedule(.death(death.replica), in: death.at) }
        if policy == .moving { schedule(.look, in: Self.looking) }
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .open(let session):
            open(session)
            if states[session].sent == 0 { pose(session) }
        case .pose(let session): pose(session)
        case .step(let replica, let life, let cost):
            guard replicas[replica].life == life else { return }
            if let done = replicas[replica].finish(after: cost, now: now) { ready(done, replica) }
            work(replica)
        case .death(let replica): die(replica)
        case .birth(let replica):
            replicas[replica].isUp = true
            ring.set(replica, isUp: true)
        case .look:
            look()
            schedule(.look, in: Self.looking)
        }
    }

    /// Lets an idle device go on.
    private mutating func work(_ replica: Int) {
        guard replicas[replica].isUp, replicas[replica].step == nil,
            let cost = replicas[replica].begin(now: now, &chance)
        else { return }
        schedule(.step(replica, life: replicas[replica].life, cost: cost), in: cost)
    }
}

// MARK: Streams

extension Simulation {
    private func wants(_ session: Int) -> Double {
        ServiceTimes.frame / workload.sessions[session][states[session].visit].interval
    }

    private mutating func open(_ session: Int) {
        guard let replica = route(session) else {
            schedule(.open(session), in: Self.reconnection)
            return
        }
        if policy != .moving, ring.served[replica] >= ring.share(of: replica) {
            outcome.aboveShare += 1
        }
        attach(session, to: replica)
    }

    private mutating func attach(_ session: Int, to replica: Int) {
        ring.opened(replica)
        demand[replica] += wants(session)
        outcome.mostStreams = max(outcome.mostStreams, ring.served[replica])
        if let home = states[session].home, home != replica { outcome.moved += 1 }
        states[session].replica = replica
        states[session].home = replica
        replicas[replica].streams.insert(session)
        if replicas[replica].uses(session, now: now) {
            ready(.source(session), replica)
        } else {
            states[session].isReady = false
            if states[session].wasEncoded { outcome.reencodings += 1 }
            states[session].wasEncoded = true
            replicas[replica].admit(.source(session), now: now)
        }
        work(replica)
    }

    private mutating func detach(_ session: Int) {
        guard let replica = states[session].replica else { return }
        ring.closed(replica)
        demand[replica] -= wants(session)
        replicas[replica].streams.remove(session)
        states[session].replica = nil
        states[session].isReady = false
    }

    private mutating func pose(_ session: Int) {
        let visit = workload.sessions[session][states[session].visit]
        states[session].sent += 1
        states[session].open.append(now)
        states[session].waiting.append(now)
        submit(session)
        if states[session].sent < visit.frames { schedule(.pose(session), in: visit.interval) }
    }

    /// Hands poses over to the replica, as many as the client lets be under way.
    private mutating func submit(_ session: Int) {
        guard let replica = states[session].replica, states[session].isReady else { return }
        var hasSome = false
        while states[session].underWay < Self.window, !states[session].waiting.isEmpty {
            let due = states[session].waiting.removeFirst()
            states[session].underWay += 1
            replicas[replica].admit(.frame(session, due: due), now: now)
            hasSome = true
        }
        if hasSome { work(replica) }
    }

    private mutating func ready(_ purpose: Replica.Purpose, _ replica: Int) {
        switch purpose {
        case .source(let session):
            guard states[session].replica == replica else { return }
            states[session].isReady = true
            submit(session)
        case .frame(let session, let due):
            guard let index = states[session].open.firstIndex(of: due) else { return }
            states[session].open.remove(at: index)
            states[session].underWay -= 1
            outcome.latencies.append(Float((now.nanoseconds - due.nanoseconds)) / 1e9)
            endVisit(session)
            submit(session)
        }
    }

    private mutating func endVisit(_ session: Int) {
        let visits = workload.sessions[session]
        guard states[session].open.isEmpty,
            states[session].sent == visits[states[session].visit].frames
        else { return }
        detach(session)
        guard states[session].visit + 1 < visits.count else {
            ended += 1
            return
        }
        states[session].visit += 1
        states[session].sent = 0
        schedule(.open(session), in: visits[states[session].visit].wait)
    }

    private mutating func die(_ replica: Int) {
        guard replicas[replica].isUp else { return }
        outcome.deaths += 1
        let streams = replicas[replica].streams.sorted()
        // Frames that were begun for streams that have moved on since.
        let jobs = replicas[replica].jobs.sorted { $0.key < $1.key }.map(\.value)
        for session in streams { detach(session) }
        replicas[replica].die()
        ring.set(replica, isUp: false)
        for session in streams {
            states[session].waiting = states[session].open
            states[session].underWay = 0
            schedule(.open(session), in: Self.reconnection)
        }
        for case .frame(let session, let due) in jobs
        where !streams.contains(session) && states[session].open.contains(due) {
            states[session].waiting.insert(due, at: 0)
            states[session].underWay -= 1
            submit(session)
        }
        schedule(.birth(replica), in: Self.absence)
    }
}

// MARK: Routing

extension Simulation {
    private func route(_ session: Int) -> Int? {
        guard policy == .moving else { return ring.server(for: names[session]) }
        if let home = states[session].home, replicas[home].isUp,
            demand[home] + wants(session) <= Self.comfort
        {
            return home
        }
        return leastWanted()
    }

    private func leastWanted() -> Int? {
        var best: Int?
        for index in replicas.indices where replicas[index].isUp {
            if demand[index] < demand[best ?? index] || best == nil { best = index }
        }
        return best
    }

    /// Moves one stream away from each replica that is behind, as long as another has room for it.
    private mutating func look() {
        let behind = replicas.indices.filter { replicas[$0].backlog >= Self.tooMany }
            .sorted { replicas[$0].backlog > replicas[$1].backlog }
        for replica in behind where replicas[replica].streams.count > 1 {
            guard let target = leastWanted(), target != replica, replicas[target].backlog <= 1,
                let session = replicas[replica].streams.max(by: {
                    (wants($0), $1) < (wants($1), $0)
                }), demand[target] + wants(session) <= Self.comfort
            else { return }
            let withdrawn = replicas[replica].withdraw(session)
            detach(session)
            states[session].underWay -= withdrawn.count
            states[session].waiting = (states[session].waiting + withdrawn).sorted()
            outcome.handed += 1
            attach(session, to: target)
        }
    }
}
