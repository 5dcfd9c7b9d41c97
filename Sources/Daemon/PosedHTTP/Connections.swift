internal import PosedGuarded
internal import PosedRPC

/// The open connections and what they are at.
final class Connections: Sendable {
    /// A call that a connection makes: who made it, and by what that is known.
    struct Call: Sendable {
        let request: ServerRequest
        /// Whom the cookie of the request stands for.
        let known: Identity?
        let identity: Identity
    }

    /// One connection.
    final class Entry: Sendable {
        private struct State {
            var task: Task<Void, Never>?
            var isBusy = false
            var isDraining = false
            var call: Call?
        }

        private let state = Guarded(State())

        /// Takes note of a request; false where no more are taken.
        func begin() -> Bool {
            state.withLock { state in
                guard !state.isDraining else { return false }
                state.isBusy = true
                return true
            }
        }

        /// The request is answered.
        func end() {
            state.withLock { state in
                state.isBusy = false
                state.call = nil
            }
        }

        /// The call that the request is.
        var call: Call? {
            get { state.withLock { $0.call } }
            set { state.withLock { $0.call = newValue } }
        }

        /// Whether the connection ends with its present request.
        var isDraining: Bool { state.withLock { $0.isDraining } }
        fileprivate var isBusy: Bool { state.withLock { $0.isBusy } }

        fileprivate func drain() {
            let idle = state.withLock { state in
                state.isDraining = true
                return state.isBusy ? nil : state.task
            }
            idle?.cancel()
        }

        /// Ends the connection now.
        func cancel() { state.withLock { $0.task }?.cancel() }

        fileprivate func adopt(_ task: Task<Void, Never>) {
            let isLate = state.withLock { state in
                state.task = task
                return state.isDraining && !state.isBusy
            }
            if isLate { task.cancel() }
        }
    }

    private struct State {
        var last = 0
        var entries: [Int: Entry] = [:]
        var isDraining = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Guarded(State())

    /// Serves a connection in a task of its own; nil where no more are taken.
    func run(_ body: @escaping @Sendable (Entry) async -> Void) -> Task<Void, Never>? {
        let entry = Entry()
        let number: Int? = state.withLock { state in
            guard !state.isDraining else { return nil }
            state.last += 1
            state.entries[state.last] = entry
            return state.last
        }
        guard let number else { return nil }
        let task = Task {
            await body(entry)
            remove(number)
        }
        entry.adopt(task)
        return task
    }

    private func remove(_ number: Int) {
        let waiting = state.withLock { state in
            state.entries[number] = nil
            guard state.isDraining, state.entries.isEmpty else {
                return [] as [CheckedContinuation<Void, Never>]
            }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    private var all: [Entry] { state.withLock { Array($0.entries.values) } }

    /// How many have a request that is not answered.
    var busy: Int { all.count { $0.isBusy } }

    /// Ends the idle ones now, and each other one after its request.
    func drain() {
        state.withLock { $0.isDraining = true }
        for entry in all { entry.drain() }
    }

    /// Ends all now.
    func cancelAll() {
        for entry in all { entry.cancel() }
    }

    /// Ends those whose call the closure names.
    func revoke(_ isRevoked: (Call) -> Bool) {
        for entry in all {
            if let call = entry.call, isRevoked(call) { entry.cancel() }
        }
    }

    /// Returns when they were told to end and none is left.
    func ended() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                let isOver = state.isDraining && state.entries.isEmpty
                if !isOver { state.waiting.append(continuation) }
                return isOver
            }
            if isOver { continuation.resume() }
        }
    }
}
