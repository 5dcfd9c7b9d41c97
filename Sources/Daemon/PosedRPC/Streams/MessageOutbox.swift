/// Decides about writing: one message under way, the others in line.
///
/// Pure: it says what to do and does nothing.
package struct MessageOutbox {
    /// A write, in the order of asking.
    package typealias Entry = UInt64

    /// What to do for a writer who asks.
    package enum Answer: Equatable {
        /// Send it now; the writer waits until it is taken.
        case send(Entry)
        /// It is its turn later.
        case queue(Entry)
        /// Nothing can be sent any more.
        case refuse
    }

    private var last: Entry = 0
    private var active: Entry?
    private var line: [Entry] = []
    private var closed = false

    package init() {}

    /// Whether a message is under way.
    package var isSending: Bool { active != nil }

    /// A writer has a message.
    package mutating func offer() -> Answer {
        guard !closed else { return .refuse }
        last += 1
        guard active == nil else {
            line.append(last)
            return .queue(last)
        }
        active = last
        return .send(last)
    }

    /// The message under way was taken, or could not be. Returns whose turn it is now; after a
    /// failure nobody's, and everybody in line fails with it.
    package mutating func complete(success: Bool) -> (
        done: Entry?, next: Entry?, failed: [Entry]
    ) {
        let done = active
        active = nil
        guard success else {
            closed = true
            defer { line = [] }
            return (done, nil, line)
        }
        guard !line.isEmpty else { return (done, nil, []) }
        let next = line.removeFirst()
        active = next
        return (done, next, [])
    }

    /// A writer gives up. A message in line is dropped; one under way cannot be called back.
    package mutating func abandon(_ entry: Entry) {
        line.removeAll { $0 == entry }
    }

    /// Nothing more will be offered. Returns the writers in line, who fail.
    package mutating func close() -> [Entry] {
        closed = true
        defer { line = [] }
        return line
    }
}
