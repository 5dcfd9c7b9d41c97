import PosedBase
import PosedSessions
import Testing

@Suite struct SessionVaultTests {
    typealias Vault = SessionVault<TestSettings>

    static let fingerprint = ContentHasher(kind: "model").key()

    /// A session as a table makes it.
    static func session(_ number: Int = 0, pixels: Int = 5) throws -> Session<TestSettings> {
        let fixture = TableFixture()
        fixture.lastID = UInt64(1000 + number)
        let draft = SessionDraft(
            pictures: [
                try picture(pixels, value: UInt8(number)), try picture(1, value: UInt8(number) + 1),
            ], settings: TestSettings(steps: number), displayName: "Größe \"\(number)\"",
            labels: ["n": "\(number)"], timeToLive: .milliseconds(90_500))
        return try fixture.table.create(
            draft, id: fixture.nextID(), owner: "mtls:CN=Ünïcode/\(number)", at: fixture.now)
    }

    /// The same session after a change.
    static func changed(_ session: Session<TestSettings>) throws -> Session<TestSettings> {
        let fixture = TableFixture()
        _ = fixture.table.adopt([session], at: fixture.now)
        return try fixture.table.update(
            session.id, owner: session.owner,
            with: SessionUpdate(displayName: "changed", settings: TestSettings(solver: "rk4")),
            at: fixture.now)
    }

    private func restore(_ files: MemoryFiles) -> Vault.Found {
        var vault = Vault(files, fingerprint: Self.fingerprint)
        return vault.restore()
    }

    @Test func bringsBackEverything() throws {
        let files = MemoryFiles()
        var vault = Vault(files, fingerprint: Self.fingerprint)
        let sessions = try (0..<3).map { try Self.session($0) }
        for session in sessions { try vault.save(session) }
        let later = try Self.changed(sessions[1])
        try vault.save(later)
        try vault.remove(sessions[2].id)
        #expect(files.openFiles == 0)
        let found = restore(files)
        #expect(found.reports.isEmpty && found.setAside == 0)
        #expect(Set(found.sessions.map(\.id)) == [sessions[0].id, later.id])
        for session in found.sessions {
            #expect(session == (session.id == later.id ? later : sessions[0]))
        }
        #expect(files.all.count == 4)
    }

    @Test func picturesAreWrittenOnce() throws {
        let files = MemoryFiles()
        var vault = Vault(files, fingerprint: Self.fingerprint)
        let session = try Self.session()
        try vault.save(session)
        let creations = files.steps.count { $0 == .create }
        try vault.save(try Self.changed(session))
        #expect(creations == 2)
        #expect(files.steps.count { $0 == .create } == 3)
        // Nor does the next process write them again.
        var next = Vault(files, fingerprint: Self.fingerprint)
        _ = next.restore()
        try next.save(session)
        #expect(files.steps.count { $0 == .create } == 4)
    }

    /// Flips every bit of both files of a session, one at a time: the session is not restored, its
    /// files are set aside with a sentence, and its neighbour is as it was.
    @Test func everyFlippedBitSetsASessionAside() throws {
        let pair = try Pair()
        for (name, bytes) in pair.damageable {
            for position in 0..<bytes.count * 8 {
                var changed = bytes
                changed[position / 8] ^= 1 << UInt8(position % 8)
                expectSetAside(pair, name, changed, "bit \(position) of \(name)")
            }
        }
    }

    @Test func everyTruncationSetsASessionAside() throws {
        let pair = try Pair()
        for (name, bytes) in pair.damageable {
            for length in 0..<bytes.count {
                expectSetAside(
                    pair, name, Array(bytes.prefix(length)), "\(length) bytes of \(name)")
            }
        }
    }

    /// Two sessions in a directory: one to be damaged, and one that must not suffer.
    private struct Pair {
        let files = MemoryFiles()
        let damaged: Session<TestSettings>
        let whole: Session<TestSettings>
        /// The files of the first, with their content.
        let damageable: [(String, [UInt8])]

        init() throws {
            var vault = Vault(files, fingerprint: fingerprint)
            damaged = try SessionVaultTests.session(1, pixels: 3)
            try vault.save(damaged)
            let files = files
            damageable = try files.all.map { ($0, try #require(files[$0])) }
            #expect(damageable.count == 2)
            whole = try SessionVaultTests.session(2, pixels: 1)
            try vault.save(whole)
        }
    }

    private func expectSetAside(
        _ pair: Pair, _ name: String, _ content: [UInt8], _ comment: Comment
    ) {
        let files = pair.files.afterKill()
        files[name] = content
        let found = restore(files)
        #expect(found.sessions == [pair.whole], comment)
        #expect(found.setAside == 2, comment)
        #expect(found.reports.map(\.session) == [pair.damaged.id], comment)
        #expect(found.reports.first?.code == .damaged, comment)
        #expect(files["\(pair.damaged.id).session.corrupt"] != nil, comment)
        #expect(files["\(pair.damaged.id).pictures.corrupt"] != nil, comment)
    }

    @Test func whatIsSetAsideIsNotReportedAgain() throws {
        let pair = try Pair()
        pair.files["\(pair.damaged.id).session"] = []
        #expect(restore(pair.files).reports.count == 1)
        let again = restore(pair.files)
        #expect(again.reports.isEmpty && again.setAside == 0 && again.sessions == [pair.whole])
    }

    @Test func filesOfOthersAreFound() throws {
        let files = MemoryFiles()
        var vault = Vault(files, fingerprint: Self.fingerprint)
        let (one, two) = (try Self.session(1), try Self.session(2))
        try vault.save(one)
        try vault.save(two)
        // Records under each other's name, pictures under each other's name, and none.
        let exchanged = files.afterKill()
        exchanged["\(one.id).session"] = files["\(two.id).session"]
        let names = restore(exchanged)
        #expect(names.sessions == [two])
        #expect(names.reports.first?.message.contains("which is not its name") == true)

        let pictures = files.afterKill()
        pictures["\(one.id).pictures"] = files["\(two.id).pictures"]
        #expect(restore(pictures).sessions == [two])

        let missing = files.afterKill()
        missing["\(one.id).pictures"] = nil
        let found = restore(missing)
        #expect(found.sessions == [two] && found.setAside == 1)
        #expect(found.reports.first?.message.contains("its pictures are missing") == true)
        #expect(missing["\(one.id).session.corrupt"] != nil)
    }

    @Test func anotherVersionIsSetAside() throws {
        let files = MemoryFiles()
        var vault = Vault(files, fingerprint: Self.fingerprint)
        let session = try Self.session()
        try vault.save(session)
        files["\(session.id).session"]?[8] = 9
        let found = restore(files)
        #expect(
            found.reports.first?.message
                == "\(session.name): is not restored, as it has version 9 of the layout, and 1 is "
                + "understood; it is set aside as \(session.id).session.corrupt")
    }

    @Test func anotherModelIsSaid() throws {
        let files = MemoryFiles()
        var vault = Vault(files, fingerprint: ContentHasher(kind: "old model").key())
        let session = try Self.session()
        try vault.save(session)
        let found = restore(files)
        #expect(found.sessions == [session])
        #expect(found.reports.map(\.severity) == [.notice])
    }

    @Test func recordsOfOtherSettingsAreSetAside() throws {
        struct Other: Codable, Equatable, Sendable { var something: Int }
        let files = MemoryFiles()
        var vault = Vault(files, fingerprint: Self.fingerprint)
        try vault.save(try Self.session())
        var other = SessionVault<Other>(files, fingerprint: Self.fingerprint)
        let found = other.restore()
        #expect(found.sessions.isEmpty && found.setAside == 2)
        #expect(found.reports.first?.message.contains("as this version of posed writes it") == true)
    }

    /// A session that never reached a read-only disk has nothing there that could come back.
    @Test func theEndOfAnUnwrittenSessionNeedsNoDisk() throws {
        let files = MemoryFiles()
        var vault = Vault(files, fingerprint: Self.fingerprint)
        let session = try Self.session()
        files.fail(.create, with: .readOnly)
        #expect(throws: StorageError.self) { try vault.save(session) }
        files.fail(.remove, with: .readOnly)
        try vault.remove(session.id)
        #expect(files.all.isEmpty)
    }

    @Test func settingsThatJSONCannotHoldAreRefused() throws {
        struct Number: Codable, Equatable, Sendable { var value: Double }
        let fixture = SessionTable<Number, ManualClock.Instant>(limits: SessionLimits())
        var table = fixture
        let now = Moment(instant: ManualClock.Instant(), wall: WallTime(milliseconds: 5))
        let session = try table.create(
            SessionDraft(pictures: [try picture()], settings: Number(value: .nan)),
            id: .random(), owner: "a", at: now)
        let files = MemoryFiles()
        var vault = SessionVault<Number>(files, fingerprint: Self.fingerprint)
        let failure = #expect(throws: StorageError.self) { try vault.save(session) }
        #expect(failure?.code == .unwritable)
        #expect(files.all.isEmpty)
    }

    @Test func onlySomeDamagedFilesAreKept() throws {
        let files = MemoryFiles()
        var vault = Vault(files, fingerprint: Self.fingerprint)
        for number in 0..<40 {
            let session = try Self.session(number)
            try vault.save(session)
            files["\(session.id).session"]?[60] ^= 1
        }
        let found = restore(files)
        #expect(found.sessions.isEmpty)
        #expect(found.reports.count == 40)
        #expect(found.setAside == 64 && files.all.count == 64)
        #expect(found.reports.count { $0.message.contains("removed, as 64 damaged") } == 8)
    }

    @Test func clearsAwayWhatACrashLeft() throws {
        let files = MemoryFiles()
        let id = try Self.session().id
        files[".\(id).session.unfinished"] = [1, 2]
        files["\(id).pictures"] = [1, 2]
        files["someone else's"] = [3]
        let found = restore(files)
        #expect(found.reports.isEmpty && found.sessions.isEmpty)
        #expect(files.all == ["someone else's"])
    }

    @Test func aDirectoryThatCannotBeReadIsReported() {
        let files = MemoryFiles()
        files.die(atStep: 1)
        _ = try? files.create(.session(.random()))
        let found = restore(files)
        #expect(found.sessions.isEmpty)
        #expect(found.reports.first?.message.hasPrefix("no session is restored: ") == true)
    }
}
