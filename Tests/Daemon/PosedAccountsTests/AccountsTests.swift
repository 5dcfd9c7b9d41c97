import PosedAccounts
import PosedErrors
import PosedGuarded
import Testing

@Suite("Accounts")
struct AccountsTests {
    private let alice = Caller.identity("token:alice")
    private let bob = Caller.identity("token:bob")

    private func accounts(each: Int, total: Int) -> Accounts {
        var limits = AccountLimits()
        limits.each[.calls] = each
        limits.total[.calls] = total
        return Accounts(limits)
    }

    @Test("One caller cannot take what another may have")
    func callersAreApart() throws {
        let accounts = accounts(each: 2, total: 4)
        let held = try (0..<2).map { _ in try accounts.account(of: alice).take(.calls) }
        let error = #expect(throws: RequestError.self) {
            try accounts.account(of: alice).take(.calls)
        }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.quota.first?.subject == "identity:token:alice")
        #expect(error?.retryAfter != nil)
        let other = try accounts.account(of: bob).take(.calls)
        #expect(accounts.total[.calls] == 3)
        #expect(accounts.used(by: alice)[.calls] == 2)
        #expect(accounts.refused[.calls] == 1)
        withExtendedLifetime((held, other)) {}
    }

    @Test("All callers together have a bound of their own")
    func totalIsBounded() throws {
        let accounts = accounts(each: 2, total: 3)
        let held = try [alice, alice, bob].map { try accounts.account(of: $0).take(.calls) }
        let error = #expect(throws: RequestError.self) {
            try accounts.account(of: bob).take(.calls)
        }
        #expect(error?.quota.first?.subject == "daemon")
        withExtendedLifetime(held) {}
    }

    @Test("What is held is given back once, by release or when it is forgotten")
    func givenBackOnce() throws {
        let accounts = accounts(each: 4, total: 4)
        var held: Hold? = try accounts.account(of: alice).take(.calls, 3)
        held?.release()
        held?.release()
        #expect(accounts.total.isZero)
        held = nil
        #expect(accounts.total.isZero)
        held = try accounts.account(of: alice).take(.calls, 2)
        #expect(accounts.total[.calls] == 2)
        held = nil
        #expect(accounts.all.isEmpty)
    }

    @Test("A hold grows within the bound, shrinks, and stays as it was where it may not grow")
    func resize() throws {
        let accounts = accounts(each: 4, total: 10)
        let hold = try accounts.account(of: alice).take(.calls, 2)
        try hold.resize(to: 4)
        #expect(throws: RequestError.self) { try hold.resize(to: 5) }
        #expect(hold.amount == 4)
        try hold.resize(to: 1)
        #expect(accounts.used(by: alice)[.calls] == 1)
        hold.release()
        try hold.resize(to: 3)
        #expect(accounts.total.isZero)
    }

    @Test("A named caller has its own bound; new bounds hold for what is taken next")
    func namedBounds() throws {
        let accounts = accounts(each: 1, total: 10)
        accounts.limits.named[alice] = Amounts(.max)
        let held = try accounts.account(of: alice).take(.calls, 5)
        #expect(throws: RequestError.self) { try accounts.account(of: bob).take(.calls, 2) }
        accounts.limits.each[.calls] = 2
        let other = try accounts.account(of: bob).take(.calls, 2)
        withExtendedLifetime((held, other)) {}
    }

    @Test("A request above its bound is not told to try again")
    func neverFits() {
        let accounts = accounts(each: 4, total: 4)
        let error = #expect(throws: RequestError.self) {
            try accounts.account(of: alice).take(.calls, 5)
        }
        #expect(error?.retryAfter == nil)
    }

    @Test("What an earlier process accepted is counted above the bounds")
    func noted() {
        let accounts = accounts(each: 1, total: 1)
        let hold = accounts.account(of: alice).note(.calls, 3)
        #expect(accounts.used(by: alice)[.calls] == 3)
        #expect(throws: RequestError.self) { try accounts.account(of: alice).take(.calls) }
        hold.release()
        #expect(accounts.all.isEmpty)
    }

    @Test("Many threads take and give back, and nothing is left")
    func concurrently() async {
        let accounts = accounts(each: 8, total: 12)
        let greatest = Greatest()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<16 {
                group.addTask {
                    let account = accounts.account(of: .identity("caller \(number % 3)"))
                    for _ in 0..<500 {
                        guard let hold = try? account.take(.calls, 1 + number % 4) else { continue }
                        greatest.note(accounts.total[.calls])
                        hold.release()
                    }
                }
            }
        }
        #expect(greatest.value <= 12)
        #expect(accounts.all.isEmpty)
        #expect(accounts.total.isZero)
    }
}

/// The greatest of the numbers that threads have seen.
private final class Greatest: Sendable {
    private let state = Guarded(0)

    var value: Int { state.withLock { $0 } }

    func note(_ number: Int) { state.withLock { $0 = max($0, number) } }
}

@Suite("Callers")
struct CallerTests {
    @Test(
        "A host is an IPv4 address or the network of an IPv6 address",
        arguments: [
            ("192.0.2.1:40000", "192.0.2.1"), ("192.0.2.1", "192.0.2.1"),
            ("[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"), ("[::1]:5", "0:0:0:0::/64"),
            ("[::ffff:192.0.2.7]:80", "192.0.2.7"), ("[fe80::1%eth0]:1", "fe80:0:0:0::/64"),
            ("no address", "no address"), ("", ""), ("[", "["),
        ])
    func hosts(address: String, host: String) {
        #expect(Caller(address: address) == .host(host))
    }

    @Test("A caller is the subject of a quota by its kind")
    func subjects() {
        #expect(Caller.user(1000).subject == "peer:unix:1000")
        #expect(Caller.host("192.0.2.1").subject == "peer:192.0.2.1")
        #expect(Caller.identity("token:a").subject == "identity:token:a")
    }
}
