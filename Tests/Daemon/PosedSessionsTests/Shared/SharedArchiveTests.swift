import PosedErrors
import PosedBase
import PosedGuarded
import PosedSessions
import Testing

@Suite struct SharedArchiveTests {
    typealias Store = SessionStore<TestSettings, ManualClock>

    /// A daemon over a store that others share.
    private struct Daemon {
        let clock = ManualClock()
        let reports = DirectoryArchiveTests.Reports()
        let archive: SharedArchive<TestSettings>
        let store: Store

        init(
            _ records: MemoryRecords, timeout: Duration = .seconds(60), fresh: Duration = .zero,
            limits: SessionLimits = SessionLimits()
        ) throws {
            let (clock, reports) = (clock, reports)
            archive = SharedArchive(records, timeout: timeout, fresh: fresh) { reports.add($0) }
            store = try Store(
                limits: limits, clock: clock,
                wall: {
                    WallTime(milliseconds: TableFixture.start)
                        .advanced(by: ManualClock.Instant().duration(to: clock.now))
                }, archive: archive)
        }

        /// The session as a request sees it.
        func session(
            _ name: String, of owner: String = "token:a"
        ) async throws(RequestError) -> Session<TestSettings> {
            try store.session(try await store.find(named: name, owner: owner), owner: owner)
        }
    }

    /// The error that a call throws.
    private func refusal(
        _ body: () async throws(RequestError) -> Void
    ) async -> RequestError? {
        do throws(RequestError) {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    @Test func anotherDaemonFindsASession() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        let made = try await first.store.create(
            try draft(pixels: 9, name: "one", timeToLive: .seconds(90)), owner: "token:a")
        #expect(try await second.session(made.name) == made)
        #expect(second.store.statistics.restored == 1)
        // Once more: nothing but the version comes.
        let lookups = records.lookups
        #expect(try await second.session(made.name) == made)
        #expect(records.lookups == lookups + 1)
    }

    @Test func aLookUpIsNotRepeatedWithinItsFreshness() async throws {
        let records = MemoryRecords()
        let daemon = try Daemon(records, fresh: .seconds(3600))
        let made = try await daemon.store.create(try draft(), owner: "token:a")
        for _ in 0..<5 { _ = try await daemon.session(made.name) }
        #expect(records.lookups == 0)
    }

    @Test func othersDoNotFindIt() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        var chosen = try draft()
        chosen.chosenID = "mine"
        let made = try await first.store.create(chosen, owner: "token:a")
        let refusal = await refusal { () throws(RequestError) in
            _ = try await second.session(made.name, of: "token:b")
        }
        #expect(refusal?.code == .notFound)
        // Another may have a session of the same name.
        let other = try await second.store.create(chosen, owner: "token:b")
        #expect(other.id != made.id)
        #expect(try await second.session("sessions/mine").id == made.id)
        #expect(records.keys.count == 2)
    }

    @Test func numbersOfUsersAreNotShared() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        let made = try await first.store.create(try draft(), owner: "unix:1000")
        #expect(records.keys.isEmpty)
        let refusal = await refusal { () throws(RequestError) in
            _ = try await second.session(made.name, of: "unix:1000")
        }
        #expect(refusal?.code == .notFound)
        #expect(try await first.session(made.name, of: "unix:1000") == made)
    }

    @Test func aChangeIsSeenAndDoesNotCarryThePictures() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        let made = try await first.store.create(try draft(pixels: 100), owner: "token:a")
        let bytes = records.pictureBytes
        _ = try await second.session(made.name)
        let changed = try await second.store.update(
            made.id, owner: "token:a",
            with: SessionUpdate(displayName: "new", expectedRevision: made.revision))
        #expect(try await first.session(made.name) == changed)
        #expect(records.pictureBytes == bytes)
    }

    @Test func ofTwoChangesOneIsRefused() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        let made = try await first.store.create(try draft(), owner: "token:a")
        _ = try await second.session(made.name)
        // Both know revision 1; the second has not looked since the first changed it.
        _ = try await first.store.update(
            made.id, owner: "token:a", with: SessionUpdate(displayName: "a", expectedRevision: 1))
        let refusal = await refusal { () throws(RequestError) in
            _ = try await second.store.update(
                made.id, owner: "token:a",
                with: SessionUpdate(displayName: "b", expectedRevision: 1))
        }
        #expect(refusal?.code == .aborted)
        #expect(try await second.session(made.name).displayName == "a")
        // Without an etag the change is made on top of the other's.
        let merged = try await second.store.update(
            made.id, owner: "token:a", with: SessionUpdate(labels: ["k": "v"]))
        #expect(merged.displayName == "a")
        #expect(try await first.session(made.name) == merged)
    }

    @Test func aChangeWithoutAnEtagIsMadeOnTopOfAnothers() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        let made = try await first.store.create(try draft(), owner: "token:a")
        _ = try await second.session(made.name)
        _ = try await first.store.update(
            made.id, owner: "token:a", with: SessionUpdate(displayName: "a"))
        let merged = try await second.store.update(
            made.id, owner: "token:a", with: SessionUpdate(labels: ["k": "v"]))
        #expect(merged.displayName == "a")
        #expect(merged.labels == ["k": "v"])
    }

    @Test func aLostAnswerIsNoConflict() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        records.losesAnswers = true
        let made = try await first.store.create(try draft(), owner: "token:a")
        let changed = try await first.store.update(
            made.id, owner: "token:a", with: SessionUpdate(displayName: "x"))
        records.losesAnswers = false
        first.archive.retry()
        await first.archive.settleAll()
        let again = try await first.store.update(
            made.id, owner: "token:a", with: SessionUpdate(labels: ["k": "v"]))
        #expect(again.revision == changed.revision + 1)
        #expect(try await second.session(made.name) == again)
    }

    @Test func aDeletionIsSeen() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        let made = try await first.store.create(try draft(), owner: "token:a")
        let lease = try second.store.acquire(
            try await second.store.find(named: made.name, owner: "token:a"), owner: "token:a")
        try await first.store.delete(made.id, owner: "token:a")
        let refusal = await refusal { () throws(RequestError) in
            _ = try await second.session(made.name)
        }
        #expect(refusal?.code == .notFound)
        // Whoever uses it is told.
        #expect(lease.isRevoked)
    }

    @Test func whoeverUsesASessionIsToldOfItsEndElsewhere() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        let made = try await first.store.create(
            try draft(timeToLive: .seconds(160)), owner: "token:a")
        let lease = try second.store.acquire(
            try await second.store.find(named: made.name, owner: "token:a"), owner: "token:a")
        try await first.store.delete(made.id, owner: "token:a")
        #expect(!lease.isRevoked)
        // A stream asks for nothing; its use is written down now and then, and that finds the note.
        second.clock.advance(by: .seconds(20))
        second.store.sweep()
        await second.archive.settleAll()
        let house = Task { await second.store.run() }
        await second.clock.waitForSleeper()
        #expect(lease.isRevoked)
        house.cancel()
        await house.value
    }

    @Test func aChosenNameIsTakenEverywhere() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        var chosen = try draft()
        chosen.chosenID = "mine"
        chosen.requestID = "r1"
        let made = try await first.store.create(chosen, owner: "token:a")
        // The same request gets the same session, whichever daemon it reaches.
        #expect(try await second.store.create(chosen, owner: "token:a").id == made.id)
        chosen.requestID = nil
        let draft = chosen
        let refusal = await refusal { () throws(RequestError) in
            _ = try await second.store.create(draft, owner: "token:a")
        }
        #expect(refusal?.code == .alreadyExists)
        // After its end, the name is free, and the new session does not get the old one's fate.
        try await first.store.delete(made.id, owner: "token:a")
        let anew = try await second.store.create(draft, owner: "token:a")
        #expect(try await first.session("sessions/mine").id == anew.id)
    }

    @Test func withoutTheStoreWhatIsInMemoryGoesOn() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        let known = try await first.store.create(try draft(), owner: "token:a")
        records.failure = .unreachable
        #expect(try await first.session(known.name) == known)
        let made = try await first.store.create(try draft(pixels: 4), owner: "token:a")
        let changed = try await first.store.update(
            known.id, owner: "token:a", with: SessionUpdate(displayName: "x"))
        #expect(first.archive.statistics.undone == 2)
        #expect(first.reports.all.filter { $0.severity == .problem }.count == 1)
        let refusal = await refusal { () throws(RequestError) in
            _ = try await second.session(made.name)
        }
        #expect(refusal?.code == .unavailable)
        #expect(refusal?.retryAfter != nil)

        records.failure = nil
        first.archive.reachable(nil)
        await first.archive.settleAll()
        #expect(first.archive.statistics.undone == 0)
        #expect(try await second.session(made.name) == made)
        #expect(try await second.session(known.name) == changed)
    }

    @Test func aDeletionWhileTheStoreIsAwayIsMadeLater() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        let made = try await first.store.create(try draft(), owner: "token:a")
        records.failure = .unreachable
        try await first.store.delete(made.id, owner: "token:a")
        records.failure = nil
        // The store still has it, but this daemon knows better.
        let here = await refusal { () throws(RequestError) in
            _ = try await first.session(made.name)
        }
        #expect(here?.code == .notFound)
        first.archive.reachable(nil)
        await first.archive.settleAll()
        let there = await refusal { () throws(RequestError) in
            _ = try await second.session(made.name)
        }
        #expect(there?.code == .notFound)
    }

    @Test func aFullStoreLosesNothing() async throws {
        let records = MemoryRecords()
        let daemon = try Daemon(records)
        records.failure = .diskFull
        let made = try await daemon.store.create(try draft(), owner: "token:a")
        #expect(daemon.archive.statistics.undone == 1)
        records.failure = nil
        daemon.archive.retry()
        await daemon.archive.settleAll()
        #expect(try await Daemon(records).session(made.name) == made)
        #expect(daemon.reports.all.last?.severity == .notice)
    }

    @Test func whatTheStoreHasLostIsStoredAgain() async throws {
        let records = MemoryRecords()
        let daemon = try Daemon(records)
        let made = try await daemon.store.create(try draft(pixels: 3), owner: "token:a")
        records.tamper { $0 = [:] }
        #expect(try await daemon.session(made.name) == made)
        await daemon.archive.settleAll()
        #expect(try await Daemon(records).session(made.name) == made)
    }

    @Test func nobodyWaitsLongerThanTheTimeLimit() async throws {
        let records = MemoryRecords()
        let daemon = try Daemon(records, timeout: .milliseconds(1))
        records.delay = .seconds(3600)
        // It returns although the write goes on for an hour.
        let made = try await daemon.store.create(try draft(), owner: "token:a")
        #expect(made.revision == 1)
        #expect(records.keys.isEmpty)
    }

    @Test func idleTimeIsTheStores() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        let made = try await first.store.create(
            try draft(timeToLive: .seconds(160)), owner: "token:a")
        // The store has counted 100 of its 160 seconds; what other clocks say does not matter.
        records.tamper { records in
            for key in records.keys { records[key]?.timeToLive = .seconds(60) }
        }
        _ = try await second.session(made.name)
        second.clock.advance(by: .seconds(59))
        #expect(try second.store.session(made.id, owner: "token:a") == made)
        second.clock.advance(by: .seconds(2))
        #expect(
            code { () throws(RequestError) in
                _ = try second.store.session(made.id, owner: "token:a")
            } == .notFound)
    }

    @Test func anExpiredCopyLeavesTheStoresAlone() async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        let made = try await first.store.create(
            try draft(timeToLive: .seconds(60)), owner: "token:a")
        _ = try await second.session(made.name)
        second.clock.advance(by: .seconds(61))
        second.store.sweep()
        await second.archive.settleAll()
        #expect(second.store.statistics.sessions == 0)
        // The first daemon used it in between; so the store has it, and the second finds it again.
        #expect(try await second.session(made.name).id == made.id)
    }

    @Test func sessionsThatWereGivenUpComeBack() async throws {
        var limits = SessionLimits()
        limits.sessions = 1
        limits.sessionsPerOwner = 1
        limits.evictableAfter = .zero
        let records = MemoryRecords()
        let daemon = try Daemon(records, limits: limits)
        let one = try await daemon.store.create(try draft(name: "one"), owner: "token:a")
        let two = try await daemon.store.create(try draft(name: "two"), owner: "token:a")
        #expect(daemon.store.statistics.sessions == 1)
        #expect(try await daemon.session(one.name).displayName == "one")
        #expect(try await daemon.session(two.name).displayName == "two")
        #expect(daemon.store.statistics.sessions == 1)
    }

    @Test(arguments: [1, 2, 3, 50])
    func listsAreOfAllDaemons(_ size: Int) async throws {
        let records = MemoryRecords()
        let daemons = [try Daemon(records), try Daemon(records)]
        var names: [String] = []
        for number in 0..<7 {
            for daemon in daemons { daemon.clock.advance(by: .seconds(1)) }
            let made = try await daemons[number % 2].store.create(
                try draft(name: "\(number)"), owner: "token:a")
            names.append(made.displayName)
        }
        _ = try await daemons[0].store.create(try draft(name: "x"), owner: "token:b")
        _ = try await daemons[0].store.create(try draft(name: "y"), owner: "unix:1")
        var (listed, token) = ([String](), "")
        repeat {
            // Whichever daemon is asked for a page.
            let page = try await daemons[listed.count % 2].store.page(
                of: "token:a", pageSize: size, pageToken: token)
            #expect(page.sessions.count <= size)
            listed += page.sessions.map(\.displayName)
            token = page.nextToken ?? ""
        } while !token.isEmpty
        #expect(listed == names)
        // To look at a list takes nothing in.
        #expect(daemons[1].store.statistics.sessions == 3)
        records.failure = .unreachable
        let own = try await daemons[1].store.page(of: "token:a", pageSize: 0, pageToken: nil)
        #expect(own.sessions.map(\.displayName) == ["1", "3", "5"])
    }

    @Test(arguments: ["another", "cut", "pictures", "version", "empty"])
    func strangeRecordsAreRefused(_ kind: String) async throws {
        let records = MemoryRecords()
        let (first, second) = (try Daemon(records), try Daemon(records))
        let mine = try await first.store.create(try draft(value: 1), owner: "token:a")
        let other = try await first.store.create(try draft(value: 2), owner: "token:b")
        let keys = records.keys
        records.tamper { records in
            switch kind {
            case "another":
                let one = records[keys[0]]
                records[keys[0]] = records[keys[1]]
                records[keys[1]] = one
            case "cut": for key in keys { records[key]?.record.removeLast() }
            case "pictures":
                let pictures = keys.map { records[$0]?.pictures ?? [] }
                records[keys[0]]?.pictures = pictures[1]
                records[keys[1]]?.pictures = pictures[0]
            case "version": for key in keys { records[key]?.record[8] = 9 }
            default: for key in keys { records[key]?.record = [] }
            }
        }
        for (session, owner) in [(mine, "token:a"), (other, "token:b")] {
            let refusal = await refusal { () throws(RequestError) in
                _ = try await second.session(session.name, of: owner)
            }
            #expect(refusal?.code == .notFound)
        }
        #expect(second.store.statistics.sessions == 0)
        #expect(second.reports.all.allSatisfy { $0.code == .damaged })
        #expect(second.reports.all.count == 2)
        // Whoever has the session goes on with it.
        #expect(try first.store.session(mine.id, owner: "token:a") == mine)
    }
}
