import PosedGuarded

/// Poses that await their answers, and what is to be known of each when it comes.
final class SentPoses<Note: Sendable>: Sendable {
    private struct State {
        var notes: [UInt64: Note] = [:]
        var answered = 0
    }

    private let state = Guarded(State())

    /// How many were answered.
    var answered: Int { state.withLock { $0.answered } }

    /// A pose is about to be sent.
    func add(_ sequence: UInt64, _ note: Note) {
        state.withLock { $0.notes[sequence] = note }
    }

    /// A pose was answered; nil if it was not sent.
    func remove(_ sequence: UInt64) -> Note? {
        state.withLock { state in
            guard let note = state.notes.removeValue(forKey: sequence) else { return nil }
            state.answered += 1
            return note
        }
    }

    /// Those that will have no answer any more.
    func removeAll() -> [Note] {
        state.withLock { state in
            let left = Array(state.notes.values)
            state.notes = [:]
            return left
        }
    }
}
