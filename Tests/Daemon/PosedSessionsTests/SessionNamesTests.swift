import PosedErrors
import PosedSessions
import Testing

/// Ids that clients choose, requests that they repeat, and changes that must not get lost.
@Suite struct SessionNamesTests {
    private func create(
        _ fixture: TableFixture, _ owner: String = "alice", id: String? = nil,
        request: String? = nil, value: UInt8 = 7
    ) throws -> Session<TestSettings> {
        var draft = try draft(value: value)
        draft.chosenID = id
        draft.requestID = request
        return try fixture.table.create(
            draft, id: fixture.nextID(), owner: owner, at: fixture.now)
    }

    @Test func aChosenIDIsTheName() throws {
        let fixture = TableFixture()
        let session = try create(fixture, id: "main-1")
        #expect(session.name == "sessions/main-1")
        #expect(fixture.table.id(named: "sessions/main-1", owner: "alice") == session.id)
        #expect(fixture.table.id(named: "main-1", owner: "alice") == nil)
        let error = #expect(throws: RequestError.self) { try create(fixture, id: "main-1") }
        #expect(error?.code == .alreadyExists)
        #expect(error?.field == "session_id")
        #expect(fixture.table.statistics.sessions == 1)
    }

    /// Nobody learns which ids another chose, and nobody is kept from choosing the same.
    @Test func idsAreEachOwnersOwn() throws {
        let fixture = TableFixture()
        let one = try create(fixture, "alice", id: "main")
        let other = try create(fixture, "bob", id: "main")
        #expect(one.id != other.id)
        #expect(fixture.table.id(named: "sessions/main", owner: "alice") == one.id)
        #expect(fixture.table.id(named: "sessions/main", owner: "bob") == other.id)
        #expect(fixture.table.id(named: "sessions/main", owner: "eve") == nil)
    }

    @Test func anIDIsFreeWhenItsSessionHasEnded() throws {
        let fixture = TableFixture()
        let first = try create(fixture, id: "main", request: "r")
        try fixture.table.delete(first.id, owner: "alice", at: fixture.now)
        #expect(fixture.table.id(named: "sessions/main", owner: "alice") == nil)
        let second = try create(fixture, id: "main", request: "r", value: 9)
        #expect(second.id != first.id)
        fixture.tick(.seconds(3600))
        #expect(try create(fixture, id: "main", request: "r").id != second.id, "it expired")
    }

    @Test(arguments: [
        "A", "1a", "-a", "a-", "a_b", "a/b", "ä", "a b", String(repeating: "a", count: 64),
        String(repeating: "a", count: 26),
    ])
    func badIDsAreRefused(id: String) throws {
        let fixture = TableFixture()
        let error = #expect(throws: RequestError.self) { try create(fixture, id: id) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.field == "session_id")
    }

    @Test(arguments: ["a", "a1", "a-1", String(repeating: "a", count: 63)])
    func goodIDsAreTaken(id: String) throws {
        #expect(try create(TableFixture(), id: id).name == "sessions/" + id)
    }

    @Test func aRepeatedRequestGetsItsSession() throws {
        let fixture = TableFixture()
        let first = try create(fixture, request: "3b9f")
        #expect(try create(fixture, request: "3b9f").id == first.id)
        #expect(try create(fixture, "bob", request: "3b9f").id != first.id)
        #expect(fixture.table.statistics.created == 2)
        let error = #expect(throws: RequestError.self) {
            try create(fixture, request: "3b9f", value: 8)
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.field == "request_id")
        // Repeated with its id, it is no conflict with itself.
        let named = try create(fixture, id: "x", request: "77")
        #expect(try create(fixture, id: "x", request: "77").id == named.id)
    }

    @Test(arguments: ["", " ", "a b", "ü", "\n", String(repeating: "a", count: 65)])
    func badRequestIDsAreRefused(id: String) throws {
        let error = #expect(throws: RequestError.self) { try create(TableFixture(), request: id) }
        #expect(error?.field == "request_id")
    }

    @Test func namesSurviveARestart() throws {
        let fixture = TableFixture()
        let session = try create(fixture, id: "main", request: "r")
        let files = MemoryFiles()
        var vault = SessionVault<TestSettings>(files, fingerprint: SessionVaultTests.fingerprint)
        try vault.save(session)
        var later = SessionVault<TestSettings>(files, fingerprint: SessionVaultTests.fingerprint)
        let next = TableFixture()
        next.lastID = 50
        #expect(next.table.adopt(later.restore().sessions, at: next.now).isEmpty)
        #expect(next.table.id(named: "sessions/main", owner: "alice") == session.id)
        #expect(try create(next, id: "main", request: "r").id == session.id)
    }

    @Test func outdatedChangesAreAborted() throws {
        let fixture = TableFixture()
        let session = try create(fixture)
        let changed = try fixture.table.update(
            session.id, owner: "alice",
            with: SessionUpdate(displayName: "one", expectedRevision: session.revision),
            at: fixture.now)
        let update = #expect(throws: RequestError.self) {
            try fixture.table.update(
                session.id, owner: "alice",
                with: SessionUpdate(displayName: "two", expectedRevision: session.revision),
                at: fixture.now)
        }
        #expect(update?.code == .aborted)
        #expect(update?.field == "etag")
        let deletion = #expect(throws: RequestError.self) {
            try fixture.table.delete(
                session.id, owner: "alice", expectedRevision: session.revision, at: fixture.now)
        }
        #expect(deletion?.code == .aborted)
        #expect(
            try fixture.table.session(session.id, owner: "alice", at: fixture.now).displayName
                == "one")
        try fixture.table.delete(
            session.id, owner: "alice", expectedRevision: changed.revision, at: fixture.now)
        #expect(fixture.table.statistics.sessions == 0)
    }
}
