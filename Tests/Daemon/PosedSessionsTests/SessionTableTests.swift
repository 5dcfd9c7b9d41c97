import PosedBase
import PosedErrors
import PosedSessions
import Testing

@Suite struct SessionTableTests {
    @Test func keepsWhatWasAskedFor() throws {
        let fixture = TableFixture()
        let wanted = SessionDraft(
            pictures: [try picture(4), try picture(5)], settings: TestSettings(solver: "euler"),
            displayName: "Ada", labels: ["project": "x", "a/b.c-d_e": ""],
            timeToLive: .seconds(90))
        let id = fixture.nextID()
        let made = try fixture.table.create(wanted, id: id, owner: "alice", at: fixture.now)
        #expect(made.name == id.name)
        #expect(made.displayName == "Ada")
        #expect(made.labels == wanted.labels)
        #expect(made.settings.solver == "euler")
        #expect(made.pictures == wanted.pictures)
        #expect(made.byteCount == 27)
        #expect(made.picturesKey == ContentKey.pictures(wanted.pictures))
        #expect(made.revision == 1)
        #expect(made.created.milliseconds == TableFixture.start)
        #expect(made.expires.milliseconds == TableFixture.start + 90_000)
        #expect(try fixture.table.session(id, owner: "alice", at: fixture.now) == made)
        #expect(fixture.table.takeActions() == [.save(made)])
        #expect(fixture.table.takeActions().isEmpty)
    }

    @Test func anotherIdentityFindsNothing() throws {
        let fixture = TableFixture()
        let id = try fixture.create("alice")
        let unknown = fixture.nextID()
        // Foreign and unknown sessions cannot be told apart, whatever is asked.
        #expect(messages("mallory", id, in: fixture) == messages("mallory", unknown, in: fixture))
        #expect(messages("mallory", id, in: fixture).allSatisfy { $0.hasPrefix("notFound: ") })
        #expect(messages("Alice", id, in: fixture) == messages("Alice", unknown, in: fixture))
        let page = try fixture.table.page(owner: "mallory", size: 0, token: nil, at: fixture.now)
        #expect(page.sessions.isEmpty && page.totalCount == 0 && page.nextToken == nil)
        // Nor does it learn what became of it.
        try fixture.table.delete(id, owner: "alice", at: fixture.now)
        #expect(messages("mallory", id, in: fixture) == messages("mallory", unknown, in: fixture))
    }

    /// What each call answers about a session, the id left out.
    private func messages(_ owner: String, _ id: SessionID, in fixture: TableFixture) -> [String] {
        var table = fixture.table
        let now = fixture.now
        let calls: [(inout TableFixture.Table) throws -> Void] = [
            { table in _ = try table.session(id, owner: owner, at: now) },
            { table in _ = try table.acquire(id, owner: owner, at: now) },
            { table in
                let update = SessionUpdate<TestSettings>(timeToLive: .seconds(-1))
                _ = try table.update(id, owner: owner, with: update, at: now)
            },
            { table in try table.delete(id, owner: owner, at: now) },
        ]
        return calls.map { call in
            do {
                try call(&table)
                return "succeeded"
            } catch let error as RequestError {
                return "\(error.code): \(error.message)".replacing("\(id)", with: "ID")
            } catch {
                return "another error"
            }
        }
    }

    @Test func tellsItsOwnClientWhatBecameOfASession() throws {
        let fixture = TableFixture { $0.sessions = 1 }
        let evicted = try fixture.create()
        let expired = try fixture.create(timeToLive: .seconds(10))
        #expect(messages("alice", evicted, in: fixture)[0].hasSuffix("to make room for another"))
        fixture.tick(.seconds(20))
        #expect(!fixture.isVisible(expired))
        #expect(messages("alice", expired, in: fixture)[0].contains("expired"))
        let deleted = try fixture.create()
        try fixture.table.delete(deleted, owner: "alice", at: fixture.now)
        #expect(messages("alice", deleted, in: fixture)[0].contains("was deleted at 2027-01-15T"))
    }

    @Test func updatesWhatIsNamed() throws {
        let fixture = TableFixture()
        let id = try fixture.create()
        _ = fixture.table.takeActions()
        fixture.tick(.seconds(5))
        let first = try fixture.table.update(
            id, owner: "alice", with: SessionUpdate(displayName: "new"), at: fixture.now)
        #expect(first.displayName == "new" && first.revision == 2)
        #expect(first.settings == TestSettings())
        #expect(first.used == fixture.now.wall)
        let second = try fixture.table.update(
            id, owner: "alice",
            with: SessionUpdate(
                labels: ["k": "v"], timeToLive: .seconds(7), settings: TestSettings(steps: 2),
                expectedRevision: 2),
            at: fixture.now)
        #expect(second.displayName == "new" && second.labels == ["k": "v"])
        #expect(second.timeToLive == .seconds(7) && second.settings.steps == 2)
        #expect(fixture.table.takeActions() == [.save(first), .save(second)])
        let conflict = code { () throws(RequestError) in
            _ = try fixture.table.update(
                id, owner: "alice", with: SessionUpdate(displayName: "late", expectedRevision: 2),
                at: fixture.now)
        }
        #expect(conflict == .aborted)
        #expect(try fixture.table.session(id, owner: "alice", at: fixture.now) == second)
    }

    @Test func refusesWhatIsOutOfBounds() throws {
        let fixture = TableFixture { $0.picturesPerSession = 2 }
        let good = try draft()
        func refused(_ owner: String = "a", _ change: (inout SessionDraft<TestSettings>) -> Void) {
            var bad = good
            change(&bad)
            let id = fixture.nextID()
            let result = code { () throws(RequestError) in
                _ = try fixture.table.create(bad, id: id, owner: owner, at: fixture.now)
            }
            #expect(result == .invalidArgument)
        }
        refused { $0.pictures = [] }
        refused { $0.pictures += $0.pictures + $0.pictures }
        refused { $0.timeToLive = .zero }
        refused { $0.timeToLive = .seconds(-5) }
        refused { $0.timeToLive = .milliseconds(999) }
        refused { $0.timeToLive = .seconds(24 * 60 * 60 + 1) }
        refused { $0.timeToLive = Duration(secondsComponent: .max, attosecondsComponent: 0) }
        refused { $0.displayName = String(repeating: "é", count: 121) }
        refused { $0.displayName = "e" + String(repeating: "\u{301}", count: 600) }
        refused { $0.displayName = "two\nlines" }
        refused { $0.labels = ["": "x"] }
        refused { $0.labels = ["Upper": "x"] }
        refused { $0.labels = ["1st": "x"] }
        refused { $0.labels = ["a b": "x"] }
        refused { $0.labels = [String(repeating: "k", count: 64): "x"] }
        refused { $0.labels = ["a": "\u{7}"] }
        refused { $0.labels = ["a": String(repeating: "v", count: 257)] }
        refused { $0.labels = Dictionary(uniqueKeysWithValues: (0..<65).map { ("k\($0)", "") }) }
        refused("") { _ in }
        refused(String(repeating: "o", count: 1025)) { _ in }
        #expect(fixture.table.takeActions().isEmpty)
        #expect(fixture.table.statistics == SessionStatistics())
    }

    @Test func refusesAnIDThatIsTaken() throws {
        let fixture = TableFixture()
        let id = try fixture.create()
        let again = code { () throws(RequestError) in
            guard let draft = try? draft() else { return }
            _ = try fixture.table.create(draft, id: id, owner: "bob", at: fixture.now)
        }
        #expect(again == .aborted)
        #expect(fixture.isVisible(id))
    }
}
