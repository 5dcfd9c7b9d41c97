/// Decides about reading: one message at a time, and only when someone asks.
///
/// Pure: it says what to do and does nothing. A reader that gives up loses nothing: what was asked for
/// on its behalf is kept for the next one.
package struct MessageInbox {
    /// What a read came to.
    package enum Outcome: Sendable {
        case message(MessageBytes)
        /// The other side is done.
        case end
        /// The call broke off.
        case failed
    }

    /// What to do for a reader who asks.
    package enum Answer {
        /// Start a read; the reader waits for it.
        case read
        /// A read is under way; the reader waits for it.
        case wait
        /// It is here already.
        case deliver(Outcome)
        /// Someone else is waiting already: two readers at a time would mix up the order.
        case refuse
    }

    private enum State {
        case idle
        case reading(awaited: Bool)
        case holding(Outcome)
        case over(Outcome)
    }

    private var state = State.idle

    package init() {}

    /// A reader asks for the next message.
    package mutating func ask() -> Answer {
        switch state {
        case .idle:
            state = .reading(awaited: true)
            return .read
        case .reading(awaited: true):
            return .refuse
        case .reading(awaited: false):
            state = .reading(awaited: true)
            return .wait
        case .holding(let outcome):
            state = .idle
            return .deliver(outcome)
        case .over(let outcome):
            return .deliver(outcome)
        }
    }

    /// What to do to learn whether the stream is over.
    package enum Glimpse: Equatable {
        /// Start a read, for whoever asks next.
        case read
        /// A read is under way.
        case wait
        /// A message is there, or someone waits for one.
        case goesOn
        case over
    }

    /// Someone wants to know whether the stream is over, without taking a message.
    package mutating func glimpse() -> Glimpse {
        switch state {
        case .idle:
            state = .reading(awaited: false)
            return .read
        case .reading(awaited: false): return .wait
        case .reading(awaited: true), .holding: return .goesOn
        case .over: return .over
        }
    }

    /// A read completed. Returns whether a reader waits for the outcome.
    package mutating func arrive(_ outcome: Outcome) -> Bool {
        guard case .reading(let awaited) = state else { return false }
        switch outcome {
        case .message: state = awaited ? .idle : .holding(outcome)
        case .end, .failed: state = .over(outcome)
        }
        return awaited
    }

    /// The waiting reader gives up. Returns whether there was one.
    package mutating func abandon() -> Bool {
        guard case .reading(awaited: true) = state else { return false }
        state = .reading(awaited: false)
        return true
    }
}
