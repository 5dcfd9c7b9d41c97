import PosedAccounts
import PosedErrors

/// A stream's poses and their answers, in order: every pose gets one answer, and answers leave in the
/// order of the poses.
struct StreamQueue: Sendable {
    /// A pose's place in the stream.
    typealias Place = Int

    private struct Entry {
        let sequence: UInt64
        let hold: Hold?
        var job: PlacedJob?
        var answer: StreamAnswer.Outcome?
    }

    private var entries: [Entry] = []
    /// The place of the first entry.
    private var first = 0
    private var lastSequence: UInt64 = 0
    /// Whether no more poses will come.
    private(set) var isFinished = false
    /// Whether nobody wants answers any more.
    private(set) var isCancelled = false

    /// Poses that are not answered, and answers that are not taken.
    var count: Int { entries.count }

    /// Frames that were made and are not taken.
    var unreadFrames: Int {
        entries.count { if case .frame? = $0.answer { true } else { false } }
    }

    /// Whether there is an answer to take.
    var hasAnswer: Bool { entries.first?.answer != nil }

    /// Whether there will be no answer any more.
    var isOver: Bool { isCancelled || (isFinished && entries.isEmpty) }

    /// Opens a entry for a pose. A pose that cannot be read, or whose number is not above the one before, has its
    /// answer at once.
    ///
    /// - Returns: Its place and its content; nil when the entry has its answer, or the stream has ended.
    mutating func open(_ pose: StreamPose) -> (place: Place, content: StreamPose.Content)? {
        guard !isFinished, !isCancelled else { return nil }
        var entry = Entry(sequence: pose.sequence ?? 0, hold: pose.hold)
        defer { entries.append(entry) }
        if let sequence = pose.sequence {
            guard sequence > lastSequence else {
                entry.answer = .failed(
                    FieldPath("sequence").refusal(
                        expected: "a number greater than \(lastSequence)", got: sequence))
                return nil
            }
            lastSequence = sequence
        }
        switch pose.content {
        case .success(let content): return (first + entries.count, content)
        case .failure(let error):
            entry.answer = .failed(error)
            return nil
        }
    }

    /// Notes which job makes a pose's frame.
    mutating func note(_ job: PlacedJob, for place: Place) {
        if let index = index(place), entries[index].answer == nil { entries[index].job = job }
    }

    /// Answers a pose; a second answer is ignored.
    mutating func answer(_ place: Place, _ outcome: StreamAnswer.Outcome) {
        guard let index = index(place), entries[index].answer == nil else { return }
        entries[index].answer = outcome
        entries[index].job = nil
    }

    /// The next answer in order, which leaves; nil where it is not there yet.
    mutating func take() -> StreamAnswer? {
        guard let head = entries.first, let answer = head.answer else { return nil }
        entries.removeFirst()
        first += 1
        head.hold?.release()
        return StreamAnswer(sequence: head.sequence, outcome: answer)
    }

    /// No more poses will come.
    mutating func finish() { isFinished = true }

    /// Nobody wants answers any more.
    ///
    /// - Returns: The jobs under way.
    mutating func cancel() -> [PlacedJob] {
        isCancelled = true
        defer { entries = [] }
        return entries.compactMap(\.job)
    }

    private func index(_ place: Place) -> Int? {
        let index = place - first
        return entries.indices.contains(index) ? index : nil
    }
}
