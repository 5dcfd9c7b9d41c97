import PosedBase
import PosedGuarded
import PosedErrors
import PosedSessions
import Testing

@Suite struct DirectoryArchiveTests {
    typealias Store = SessionStore<TestSettings, ManualClock>
    typealias Archive = DirectoryArchive<TestSettings>

    /// What an operator would read.
    final class Reports: Sendable {
        private let list = Guarded<[ArchiveReport]>([])
        var all: [ArchiveReport] { list.withLock { $0 } }
        func add(_ report: ArchiveReport) { list.withLock { $0.append(report) } }
    }

    /// A daemon: a store with an archive in a directory.
    private struct Daemon {
        let clock = ManualClock()
        let reports = Reports()
        let archive: Archive
        let store: Store

        init(_ files: any StateFiles, after away: Duration = .zero, limits: SessionLimits? = nil)
            throws
        {
            let (clock, reports) = (clock, reports)
            archive = Archive(files, fingerprint: SessionVaultTests.fingerprint) {
                reports.add($0)
            }
            store = try Store(
                limits: limits ?? SessionLimits(), clock: clock,
                wall: {
                    WallTime(milliseconds: TableFixture.start)
                        .advanced(by: away + ManualClock.Instant().duration(to: clock.now))
                }, archive: archive)
        }
    }

    @Test func whatWasAnsweredSurvivesAKill() async throws {
        let files = MemoryFiles()
        let first = try Daemon(files)
        let one = try await first.store.create(draft(pixels: 9, name: "one"), owner: "alice")
        let two = try await first.store.create(draft(name: "two"), owner: "bob")
        let three = try await first.store.create(draft(name: "three"), owner: "bob")
        let changed = try await first.store.update(
            two.id, owner: "bob", with: SessionUpdate(timeToLive: .seconds(77)))
        try await first.store.delete(three.id, owner: "bob")

        // At this moment the process is killed.
        let second = try Daemon(files.afterKill(), after: .seconds(30))
        #expect(await second.store.restore() == 2)
        #expect(try second.store.session(one.id, owner: "alice") == one)
        #expect(try second.store.session(two.id, owner: "bob") == changed)
        #expect(throws: RequestError.self) { try second.store.session(one.id, owner: "bob") }
        #expect(throws: RequestError.self) { try second.store.session(three.id, owner: "bob") }
        #expect(second.reports.all.isEmpty)
        #expect(second.store.statistics.restored == 2)
    }

    @Test func whatExpiredMeanwhileIsRemoved() async throws {
        let files = MemoryFiles()
        let first = try Daemon(files)
        let short = try await first.store.create(
            draft(timeToLive: .seconds(10)), owner: "alice")
        let long = try await first.store.create(
            draft(timeToLive: .seconds(1000)), owner: "alice")
        let second = try Daemon(files, after: .seconds(100))
        #expect(await second.store.restore() == 1)
        await second.archive.settleAll()
        #expect(files.all == ["\(long.id).pictures", "\(long.id).session"])
        #expect(throws: RequestError.self) { try second.store.session(short.id, owner: "alice") }
    }

    @Test func endsOfSessionsReachTheDisk() async throws {
        let files = MemoryFiles()
        var limits = SessionLimits()
        limits.sessions = 2
        limits.evictableAfter = .zero
        let daemon = try Daemon(files, limits: limits)
        let evicted = try await daemon.store.create(draft(), owner: "a")
        daemon.clock.advance(by: .seconds(1))
        let expired = try await daemon.store.create(draft(timeToLive: .seconds(5)), owner: "a")
        let third = try await daemon.store.create(draft(), owner: "a")
        daemon.clock.advance(by: .seconds(5))
        daemon.store.sweep()
        await daemon.archive.settleAll()
        #expect(files["\(evicted.id).session"] == nil && files["\(expired.id).session"] == nil)
        #expect(files.all == ["\(third.id).pictures", "\(third.id).session"])
    }

    @Test func usesReachTheDiskAtTheEnd() async throws {
        let files = MemoryFiles()
        let first = try Daemon(files)
        let made = try await first.store.create(
            draft(timeToLive: .seconds(1000)), owner: "alice")
        first.clock.advance(by: .seconds(30))
        let lease = try first.store.acquire(made.id, owner: "alice")
        lease.count(frames: 7)
        lease.release()
        await first.store.flush()
        let second = try Daemon(files, after: .seconds(31))
        await second.store.restore()
        let found = try second.store.session(made.id, owner: "alice")
        #expect(found.used == made.used.advanced(by: .seconds(30)))
        #expect(found.frameCount == 7)
    }

    @Test func aFullDiskCostsNobodyHisSession() async throws {
        let files = MemoryFiles()
        let daemon = try Daemon(files)
        files.limit(toBytes: 0)
        var made: [Session<TestSettings>] = []
        for number in 0..<5 {
            made.append(
                try await daemon.store.create(draft(name: "\(number)"), owner: "alice"))
        }
        #expect(files.all.isEmpty)
        #expect(daemon.archive.statistics.undone == 5)
        // One sentence, not one for each session.
        #expect(daemon.reports.all.map(\.code) == [.diskFull])
        #expect(daemon.reports.all.first?.session == made[0].id)
        for session in made {
            #expect(try daemon.store.session(session.id, owner: "alice") == session)
            try daemon.store.acquire(session.id, owner: "alice").release()
        }
        // Room again: with the next session all that was missing is written.
        files.limit(toBytes: .max)
        made.append(try await daemon.store.create(draft(name: "last"), owner: "alice"))
        await daemon.archive.settleAll()
        #expect(daemon.archive.statistics.undone == 0)
        #expect(daemon.reports.all.map(\.severity) == [.problem, .notice])
        let next = try Daemon(files)
        #expect(await next.store.restore() == 6)
        for session in made {
            #expect(try next.store.session(session.id, owner: "alice") == session)
        }
    }

    /// What could not be written is written when the disk is well again, though nothing new is.
    @Test func whatFailedIsTriedAgainInTime() async throws {
        let files = MemoryFiles()
        let daemon = try Daemon(files)
        files.limit(toBytes: 0)
        let made = try await daemon.store.create(draft(name: "a"), owner: "alice")
        #expect(daemon.archive.statistics.undone == 1)
        daemon.archive.retry()
        await daemon.archive.settleAll()
        #expect(daemon.archive.statistics.undone == 1)
        files.limit(toBytes: .max)
        daemon.archive.retry()
        await daemon.archive.settleAll()
        #expect(daemon.archive.statistics.undone == 0)
        let next = try Daemon(files)
        #expect(await next.store.restore() == 1)
        #expect(try next.store.session(made.id, owner: "alice") == made)
        daemon.archive.retry()
        await daemon.archive.settleAll()
    }

    /// Sessions of another model are reported, those of versions that did not tell models apart are not.
    @Test func sessionsOfAnotherModelAreReported() async throws {
        let files = MemoryFiles()
        let first = try Daemon(files)
        for (name, model) in [("old", nil), ("b", "b"), ("c", "c")] as [(String, String?)] {
            if let model {
                var hasher = ContentHasher(kind: "models")
                hasher.combine("model", model)
                first.archive.identify(hasher.key())
            } else {
                first.archive.identify(ContentHasher(kind: "sessions").key())
            }
            _ = try await first.store.create(draft(name: name), owner: "alice")
        }
        let second = try Daemon(files)
        var hasher = ContentHasher(kind: "models")
        hasher.combine("model", "b")
        second.archive.identify(hasher.key())
        #expect(await second.store.restore() == 3)
        #expect(second.reports.all.count == 1)
        #expect(second.reports.all.first?.message.contains("another model") == true)
    }

    @Test func anEndThatCannotBeWrittenIsTriedAgain() async throws {
        let files = MemoryFiles()
        let daemon = try Daemon(files)
        let gone = try await daemon.store.create(draft(), owner: "alice")
        files.fail(.remove, with: .readOnly)
        try await daemon.store.delete(gone.id, owner: "alice")
        #expect(
            daemon.reports.all.map(\.message) == [
                "\(gone.name): has ended, but may come back after a restart, as may others until "
                    + "writing works again: memory: the step fails"
            ])
        files.fail(.remove, with: nil)
        let stays = try await daemon.store.create(draft(), owner: "alice")
        await daemon.archive.settleAll()
        #expect(files.all == ["\(stays.id).pictures", "\(stays.id).session"])
    }

    @Test func damageIsReportedAndCounted() async throws {
        let files = MemoryFiles()
        let first = try Daemon(files)
        let one = try await first.store.create(draft(), owner: "alice")
        let two = try await first.store.create(draft(), owner: "alice")
        files["\(one.id).pictures"]?[3] ^= 4
        let second = try Daemon(files)
        #expect(await second.store.restore() == 1)
        #expect(second.reports.all.map(\.session) == [one.id])
        #expect(second.archive.statistics.setAside == 2)
        #expect(try second.store.session(two.id, owner: "alice").id == two.id)
    }

    @Test func sessionsWithoutRoomStayOnTheDisk() async throws {
        let files = MemoryFiles()
        let first = try Daemon(files)
        for _ in 0..<3 {
            _ = try await first.store.create(draft(), owner: "alice")
            first.clock.advance(by: .seconds(1))
        }
        var limits = SessionLimits()
        limits.sessions = 1
        let second = try Daemon(files, limits: limits)
        #expect(await second.store.restore() == 1)
        #expect(second.reports.all.count == 2)
        #expect(files.all.count == 6)
        let third = try Daemon(files)
        #expect(await third.store.restore() == 3)
    }

    @Test func aCancelledTaskStopsWaiting() async throws {
        let files = BlockedFiles()
        let daemon = try Daemon(files)
        let creation = Task {
            try await daemon.store.create(draft(), owner: "alice")
        }
        while daemon.store.statistics.sessions == 0 { await Task.yield() }
        creation.cancel()
        let made = try await creation.value
        #expect(try daemon.store.session(made.id, owner: "alice") == made)
        files.unblock()
        await daemon.archive.settleAll()
        #expect(daemon.archive.statistics.saves == 1)
    }

    /// While the disk does not answer, changes of a session do not pile up, nothing else waits, and
    /// in the end the last change is what is written.
    @Test func aSlowDiskHoldsNobodyUp() async throws {
        let files = BlockedFiles()
        let daemon = try Daemon(files)
        let creations = (0..<4).map { number in
            Task { try await daemon.store.create(draft(name: "\(number)"), owner: "alice") }
        }
        while daemon.store.statistics.sessions < 4 { await Task.yield() }
        let ids = try daemon.store.sessions(of: "alice").sessions.map(\.id)
        for _ in 0..<50 {
            daemon.clock.advance(by: .seconds(100))
            for id in ids { try daemon.store.acquire(id, owner: "alice").release() }
        }
        let end = Task { try await daemon.store.delete(ids[3], owner: "alice") }
        while daemon.store.statistics.sessions > 3 { await Task.yield() }
        #expect(daemon.archive.statistics.pending <= 4)
        files.unblock()
        for creation in creations { _ = try await creation.value }
        try await end.value
        await daemon.archive.settleAll()
        #expect(daemon.archive.statistics.saves <= 7)

        let next = try Daemon(files.files, after: .seconds(5000))
        #expect(await next.store.restore() == 3)
        for id in ids[..<3] {
            let session = try next.store.session(id, owner: "alice")
            #expect(session.used == session.created.advanced(by: .seconds(5000)))
        }
    }

    @Test func worksInARealDirectory() async throws {
        let scratch = try StateDirectoryTests.Scratch()
        var made: Session<TestSettings>?
        do {
            let daemon = try Daemon(try StateDirectory(scratch.path))
            made = try await daemon.store.create(draft(pixels: 5000), owner: "alice")
            await daemon.store.flush()
        }
        let session = try #require(made)
        let daemon = try Daemon(try StateDirectory(scratch.path))
        #expect(await daemon.store.restore() == 1)
        #expect(try daemon.store.session(session.id, owner: "alice") == session)
        try await daemon.store.delete(session.id, owner: "alice")
        #expect(scratch.mode("\(session.id).session") == nil)
        #expect(scratch.mode("\(session.id).pictures") == nil)
    }
}
