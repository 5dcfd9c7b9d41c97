/// Start-time fair queueing: every job has a start and a finish on a virtual time that counts the
/// machine's work, seconds of it, and each owner's jobs lie on it one after another.
///
/// Virtual time is where the job that is furthest behind starts, so an owner that asks for much gets far
/// ahead of it, and one that comes anew begins where the others are.
struct FairShare: Sendable {
    /// Where a job lies on the virtual time.
    struct Span: Hashable, Sendable {
        var start: Double
        var finish: Double
    }

    /// The virtual time.
    private(set) var now = 0.0
    /// Where each owner's last job finishes, as far as that is ahead.
    private var finishes: [String: Double] = [:]

    /// Puts a job behind the owner's others.
    mutating func place(_ owner: String, cost: Double) -> Span {
        let start = max(now, finishes[owner] ?? now)
        let span = Span(start: start, finish: start + cost)
        finishes[owner] = span.finish
        return span
    }

    /// A job cost more or less than its place provided for.
    mutating func correct(_ owner: String, by difference: Double) {
        guard let finish = finishes[owner] else { return }
        finishes[owner] = finish + difference
    }

    /// The start of the job in the table that is furthest behind; nil if there is none: then all
    /// debts are forgotten.
    mutating func advance(to start: Double?) {
        guard let start else {
            now = 0
            finishes = [:]
            return
        }
        guard start > now else { return }
        now = start
        finishes = finishes.filter { $0.value > start }
    }
}
