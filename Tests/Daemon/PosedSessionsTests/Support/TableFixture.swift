import PosedBase
import PosedErrors
import PosedSessions
import Testing

/// Settings of a session in the tests.
struct TestSettings: Codable, Equatable, Sendable {
    var solver = "heun"
    var steps = 8
}

/// A picture of `count` pixels in a row, all of one value.
func picture(_ count: Int = 1, value: UInt8 = 7) throws -> SourcePicture {
    try SourcePicture(
        width: count, height: 1, pixels: [UInt8](repeating: value, count: 3 * count))
}

/// A draft whose picture takes `3 · pixels` bytes.
func draft(
    pixels: Int = 1, value: UInt8 = 7, name: String = "", timeToLive: Duration? = nil
) throws -> SessionDraft<TestSettings> {
    SessionDraft(
        pictures: [try picture(pixels, value: value)], settings: TestSettings(),
        displayName: name, timeToLive: timeToLive)
}

/// A table with a clock that the test moves, and ids that count.
final class TableFixture {
    typealias Table = SessionTable<TestSettings, ManualClock.Instant>

    static let start: Int64 = 1_800_000_000_000

    var table: Table
    var elapsed: Duration = .zero
    var lastID: UInt64 = 0

    init(_ change: (inout SessionLimits) -> Void = { _ in }) {
        var limits = SessionLimits()
        limits.evictableAfter = .zero
        change(&limits)
        table = Table(limits: limits)
    }

    var now: Moment<ManualClock.Instant> {
        Moment(
            instant: ManualClock.Instant(elapsed),
            wall: WallTime(milliseconds: Self.start).advanced(by: elapsed))
    }

    /// Lets a second pass, so that every use has a time of its own.
    func tick(_ duration: Duration = .seconds(1)) { elapsed += duration }

    /// The id that the next session gets.
    func nextID() -> SessionID {
        lastID += 1
        var generator = SeededGenerator(seed: lastID)
        return SessionID.random(using: &generator)
    }

    @discardableResult
    func create(
        _ owner: String = "alice", pixels: Int = 1, timeToLive: Duration? = nil
    ) throws -> SessionID {
        tick()
        let draft = try draft(pixels: pixels, timeToLive: timeToLive)
        return try table.create(draft, id: nextID(), owner: owner, at: now).id
    }

    func isVisible(_ id: SessionID, to owner: String = "alice") -> Bool {
        (try? table.session(id, owner: owner, at: now)) != nil
    }

    /// Releases a lease of the table.
    @discardableResult
    func release(_ lease: Table.LeaseNumber) -> Bool { table.release(lease, at: now) }

    /// What would have to be true at any moment.
    func expectConsistency(_ location: SourceLocation = #_sourceLocation) {
        let statistics = table.statistics
        #expect(statistics.bytes >= 0, sourceLocation: location)
        #expect(statistics.sessions <= table.limits.sessions, sourceLocation: location)
        #expect(statistics.bytes <= table.limits.bytes, sourceLocation: location)
        #expect(statistics.sessionsInUse <= statistics.leases, sourceLocation: location)
        let ended = statistics.deleted + statistics.expired + statistics.evicted
        #expect(
            statistics.created + statistics.restored - ended == statistics.sessions,
            sourceLocation: location)
    }
}

/// The code of the error that a call throws; nil when it throws none.
func code(_ body: () throws(RequestError) -> Void) -> RequestError.Code? {
    do throws(RequestError) {
        try body()
        return nil
    } catch {
        return error.code
    }
}

/// The kind of failure of the state directory that a call meets.
func code(_ body: () throws(StorageError) -> Void) -> StorageError.Code? {
    do throws(StorageError) {
        try body()
        return nil
    } catch {
        return error.code
    }
}
