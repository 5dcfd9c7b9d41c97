package import PosedErrors
package import PosedServing

/// What is known of the poses of a stream that are not answered yet, in their order.
///
/// Pure: it decides whether a pose may follow the one before, and whether the next may be read. Poses that
/// are taken and answers that are sent are equal in number in the end; at most `capacity` are between.
package struct StreamLedger {
    /// A pose that awaits its answer.
    package struct Entry: Equatable {
        /// The caller's number.
        package let sequence: UInt64
        /// How its picture is to be sent.
        package let format: PictureFormat
        /// How long the pose took to read, which the engine does not know.
        package let readTime: Duration

        /// As given.
        package init(sequence: UInt64, format: PictureFormat, readTime: Duration) {
            self.sequence = sequence
            self.format = format
            self.readTime = readTime
        }
    }

    private let capacity: Int
    private var entries: [Entry] = []
    private var answered = 0
    private var last: UInt64?

    /// A ledger of at most `capacity` poses at a time.
    package init(capacity: Int) { self.capacity = max(1, capacity) }

    /// Poses that await their answers.
    package var count: Int { entries.count - answered }

    /// Whether another pose may be read.
    package var hasRoom: Bool { count < capacity }

    /// What is wrong with the number of the next pose; nil if it may follow. What is wrong does not count.
    package mutating func follow(_ sequence: UInt64) -> RequestError? {
        if let last, sequence <= last {
            return FieldPath("sequence").refusal(
                expected: "a number greater than \(last)", got: sequence)
        }
        last = sequence
        return nil
    }

    /// Takes a pose.
    package mutating func take(_ entry: Entry) {
        entries.append(entry)
    }

    /// The pose that the next answer is for; nil if there is none.
    package mutating func answer() -> Entry? {
        guard answered < entries.count else { return nil }
        defer {
            answered += 1
            // Shifts all that are left, so not at every answer.
            if answered >= 2 * capacity || answered == entries.count {
                entries.removeFirst(answered)
                answered = 0
            }
        }
        return entries[answered]
    }
}
