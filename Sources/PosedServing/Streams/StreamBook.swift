import PosedErrors

/// A stream's poses and their answers, in order: every pose gets one answer, and answers leave in the
/// order of the poses.
struct StreamBook: Sendable {
    /// A pose's place in the stream.
    typealias Ticket = Int

    /// What the reader gets.
    enum Take: Sendable {
        case event(StreamEvent)
        /// Nothing yet.
        case wait
        /// Nothing any more.
        case end
    }

    private struct Page {
        let sequence: UInt64
        var job: PlacedJob?
        var answer: StreamEvent.Outcome?
    }

    private var pages: [Page] = []
    /// The ticket of the first page.
    private var first = 0
    private var lastSequence: UInt64?
    private(set) var isFinished = false
    private(set) var isCancelled = false

    /// Poses that are not answered, and answers that are not read.
    var count: Int { pages.count }

    /// Frames that were made and are not read.
    var unreadFrames: Int {
        pages.count { if case .frame? = $0.answer { true } else { false } }
    }

    /// Poses that are not answered.
    var unanswered: Int { pages.count { $0.answer == nil } }

    /// Opens a page for a pose; nil when the stream has ended.
    mutating func open(_ sequence: UInt64) -> Ticket? {
        guard !isFinished, !isCancelled else { return nil }
        pages.append(Page(sequence: sequence))
        defer { lastSequence = sequence }
        if let lastSequence, sequence <= lastSequence {
            pages[pages.count - 1].answer = .failed(
                RequestError(
                    .invalidArgument,
                    "a sequence number above \(lastSequence), that of the pose before, expected, "
                        + "but \(sequence) came"))
        }
        return first + pages.count - 1
    }

    /// Whether a page has its answer already.
    func isAnswered(_ ticket: Ticket) -> Bool {
        page(ticket).map { pages[$0].answer != nil } ?? true
    }

    /// Notes which job makes a pose's frame.
    mutating func note(_ job: PlacedJob, for ticket: Ticket) {
        if let index = page(ticket) { pages[index].job = job }
    }

    /// Answers a pose; a second answer is ignored.
    mutating func answer(_ ticket: Ticket, _ outcome: StreamEvent.Outcome) {
        guard let index = page(ticket), pages[index].answer == nil else { return }
        pages[index].answer = outcome
        pages[index].job = nil
    }

    /// The next answer in order.
    mutating func take() -> Take {
        if isCancelled { return .end }
        guard let head = pages.first else { return isFinished ? .end : .wait }
        guard let answer = head.answer else { return .wait }
        pages.removeFirst()
        first += 1
        return .event(StreamEvent(sequence: head.sequence, outcome: answer))
    }

    /// No more poses will come.
    mutating func finish() { isFinished = true }

    /// Nobody wants answers any more.
    ///
    /// - Returns: The jobs under way.
    mutating func cancel() -> [PlacedJob] {
        isCancelled = true
        defer { pages = [] }
        return pages.compactMap(\.job)
    }

    private func page(_ ticket: Ticket) -> Int? {
        let index = ticket - first
        return pages.indices.contains(index) ? index : nil
    }
}
