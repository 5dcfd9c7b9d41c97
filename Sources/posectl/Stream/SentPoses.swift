import PosedGuarded

/// Poses that await their answers, and what is to be known of each when it comes.
final class SentPoses<Note: Sendable>: Sendable {
    private let notes = Guarded<[UInt64: Note]>([:])

    /// A pose is about to be sent.
    func add(_ sequence: UInt64, _ note: Note) {
        notes.withLock { $0[sequence] = note }
    }

    /// A pose was answered; nil if it was not sent.
    func remove(_ sequence: UInt64) -> Note? {
        notes.withLock { $0.removeValue(forKey: sequence) }
    }
}
