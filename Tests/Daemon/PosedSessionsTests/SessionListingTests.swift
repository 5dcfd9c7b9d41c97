import PosedErrors
import PosedSessions
import Testing

@Suite struct SessionListingTests {
    private func pages(
        _ fixture: TableFixture, size: Int, between: (TableFixture, Int) throws -> Void
    ) throws -> [SessionID] {
        var found: [SessionID] = []
        var token: String?
        for number in 0..<100 {
            let page = try fixture.table.page(
                owner: "alice", size: size, token: token, at: fixture.now)
            #expect(page.sessions.count <= size)
            found += page.sessions.map(\.id)
            token = page.nextToken
            guard token != nil else { return found }
            try between(fixture, number)
        }
        Issue.record("the pages do not end")
        return found
    }

    @Test(arguments: [1, 2, 3, 7, 10, 11])
    func listsAllInTheOrderOfCreation(size: Int) throws {
        let fixture = TableFixture()
        var ids: [SessionID] = []
        for number in 0..<10 {
            ids.append(try fixture.create())
            if number % 3 == 0 { try fixture.create("bob") }
        }
        #expect(try pages(fixture, size: size) { _, _ in } == ids)
    }

    @Test func sessionsOfOneMillisecondHaveAnOrderToo() throws {
        let fixture = TableFixture()
        for _ in 0..<20 {
            _ = try fixture.table.create(
                try draft(), id: fixture.nextID(), owner: "alice", at: fixture.now)
        }
        let found = try pages(fixture, size: 3) { _, _ in }
        #expect(found == found.sorted())
        #expect(Set(found).count == 20)
    }

    /// Whatever is deleted and made between pages, what stays is listed once.
    @Test(arguments: 0..<50)
    func isStableWhileSessionsComeAndGo(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let fixture = TableFixture()
        var all = try (0..<30).map { _ in try fixture.create() }
        let stays = Set(all.shuffled(using: &generator).prefix(15))
        var born: Set<SessionID> = []
        let found = try pages(fixture, size: Int.random(in: 1...5, using: &generator)) {
            fixture, _ in
            for _ in 0..<2 {
                if let victim = all.filter({ !stays.contains($0) }).randomElement(
                    using: &generator)
                {
                    all.removeAll { $0 == victim }
                    try fixture.table.delete(victim, owner: "alice", at: fixture.now)
                }
            }
            if Bool.random(using: &generator) { born.insert(try fixture.create()) }
        }
        #expect(Set(found).count == found.count, "a session was listed twice")
        #expect(stays.isSubset(of: found))
        #expect(born.isSubset(of: found), "what is made later comes later")
    }

    @Test func goesOnBehindASessionThatIsGone() throws {
        let fixture = TableFixture()
        let ids = try (0..<5).map { _ in try fixture.create() }
        let page = try fixture.table.page(owner: "alice", size: 2, token: nil, at: fixture.now)
        #expect(page.totalCount == 5)
        for id in [ids[0], ids[1], ids[2]] {
            try fixture.table.delete(id, owner: "alice", at: fixture.now)
        }
        let next = try fixture.table.page(
            owner: "alice", size: 2, token: page.nextToken, at: fixture.now)
        #expect(next.sessions.map(\.id) == [ids[3], ids[4]])
        #expect(next.nextToken == nil && next.totalCount == 2)
    }

    @Test func leavesOutWhatHasExpired() throws {
        let fixture = TableFixture()
        try fixture.create(timeToLive: .seconds(5))
        let stays = try fixture.create()
        fixture.tick(.seconds(5))
        let page = try fixture.table.page(owner: "alice", size: 1, token: nil, at: fixture.now)
        #expect(page.sessions.map(\.id) == [stays])
        #expect(page.nextToken == nil && page.totalCount == 1)
    }

    @Test func pageSizesHaveBounds() throws {
        let fixture = TableFixture {
            $0.sessionsPerOwner = 2000; $0.sessions = 2000
        }
        for _ in 0..<1001 { try fixture.create(timeToLive: .seconds(5000)) }
        func count(_ size: Int) throws -> Int {
            try fixture.table.page(owner: "alice", size: size, token: "", at: fixture.now)
                .sessions.count
        }
        #expect(try count(0) == 50)
        #expect(try count(1000) == 1000)
        #expect(try count(.max) == 1000)
        let negative = code { () throws(RequestError) in
            _ = try fixture.table.page(owner: "alice", size: -1, token: nil, at: fixture.now)
        }
        #expect(negative == .invalidArgument)
    }

    @Test func tokensAreChecked() throws {
        let fixture = TableFixture()
        for _ in 0..<3 { try fixture.create() }
        for _ in 0..<3 { try fixture.create("bob") }
        let page = try fixture.table.page(owner: "alice", size: 1, token: nil, at: fixture.now)
        let token = try #require(page.nextToken)
        func refusal(_ token: String, _ owner: String = "alice") -> RequestError.Code? {
            code { () throws(RequestError) in
                _ = try fixture.table.page(owner: owner, size: 1, token: token, at: fixture.now)
            }
        }
        #expect(refusal(token) == nil)
        #expect(refusal(token, "bob") == .invalidArgument)
        #expect(
            token.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) })
        let letters = Array(token)
        for index in letters.indices {
            for other in ["A", "z", "0", "_", "=", "é", "\0"] where String(letters[index]) != other
            {
                var changed = letters
                changed[index] = Character(other)
                #expect(refusal(String(changed)) == .invalidArgument)
            }
            #expect(refusal(String(letters[..<index])) == (index == 0 ? nil : .invalidArgument))
        }
        #expect(refusal(token + "A") == .invalidArgument)
        #expect(refusal(token + "=") == .invalidArgument)
        #expect(refusal(String(repeating: "A", count: 100_000)) == .invalidArgument)
    }
}
