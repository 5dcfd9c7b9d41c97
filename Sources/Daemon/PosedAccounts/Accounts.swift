package import PosedErrors
internal import PosedGuarded

/// How much of each resource callers may hold.
package struct AccountLimits: Hashable, Sendable {
    /// All callers together.
    package var total = Amounts(.max)
    /// Each caller.
    package var each = Amounts(.max)
    /// Callers with bounds of their own, which hold in place of `each`.
    package var named: [Caller: Amounts] = [:]

    /// No bounds.
    package init() {}

    /// The bounds of a caller.
    package func bounds(of caller: Caller) -> Amounts { named[caller] ?? each }
}

/// What all callers of the daemon hold, and how much they may.
///
/// Whatever the daemon accepts for a caller is taken here first, and is given back by the hold that the
/// taking returns. Nothing else in the daemon decides whether a caller has too much.
package final class Accounts: Sendable {
    fileprivate struct State {
        var limits: AccountLimits
        var total = Amounts()
        /// Callers that hold something; others have no entry, so strangers leave nothing behind.
        var used: [Caller: Amounts] = [:]
        var refused = Amounts()
    }

    fileprivate let state: Guarded<State>

    /// Accounts of which nobody holds anything.
    package init(_ limits: AccountLimits = AccountLimits()) {
        state = Guarded(State(limits: limits))
    }

    /// The bounds. New ones hold for whatever is taken from now on; what is held stays held.
    package var limits: AccountLimits {
        get { state.withLock { $0.limits } }
        set { state.withLock { $0.limits = newValue } }
    }

    /// The account of a caller.
    package func account(of caller: Caller) -> Account { Account(caller: caller, accounts: self) }

    /// What all callers together hold.
    package var total: Amounts { state.withLock { $0.total } }

    /// What a caller holds.
    package func used(by caller: Caller) -> Amounts {
        state.withLock { $0.used[caller] ?? Amounts() }
    }

    /// Every caller that holds something, and what it holds.
    package var all: [Caller: Amounts] { state.withLock { $0.used } }

    /// How often something was refused, by resource.
    package var refused: Amounts { state.withLock { $0.refused } }

    /// Takes an amount for a caller, all or nothing.
    ///
    /// - Throws: `resourceExhausted` where a bound would be exceeded, with the bound as its quota violation.
    func take(
        _ resource: Resource, _ amount: Int, for caller: Caller
    ) throws(RequestError) {
        let violation: Violation? = state.withLock { state in
            let violation = state.violation(of: resource, amount, caller)
            if violation == nil {
                state.change(resource, by: amount, of: caller)
            } else {
                state.refused[resource] += 1
            }
            return violation
        }
        if let violation { throw violation.error }
    }

    /// Gives an amount of a caller's back.
    func giveBack(_ resource: Resource, _ amount: Int, of caller: Caller) {
        state.withLock { $0.change(resource, by: -amount, of: caller) }
    }

    /// A bound that stands in the way.
    fileprivate struct Violation {
        let resource: Resource
        let limit: Int
        let used: Int
        let requested: Int
        /// Whose bound it is; nil for that of all callers together.
        let caller: Caller?

        var error: RequestError {
            let whose = caller.map { "\($0) may have" } ?? "all callers together may have"
            let sentence =
                "\(whose) at most \(limit) \(resource.unit), of which \(used) are taken; "
                + "\(requested) more do not fit"
            // A request that is larger than its bound never fits.
            return RequestError(
                .resourceExhausted, sentence, retryAfter: requested > limit ? nil : .seconds(1),
                quota: [.init(subject: caller?.subject ?? "daemon", description: sentence)])
        }
    }
}

extension Accounts.State {
    fileprivate func violation(
        of resource: Resource, _ amount: Int, _ caller: Caller
    ) -> Accounts.Violation? {
        guard amount > 0 else { return nil }
        let bounds = [
            (limits.bounds(of: caller), used[caller] ?? Amounts(), caller),
            (limits.total, total, nil as Caller?),
        ]
        for (limit, used, whose) in bounds where amount > limit[resource] - used[resource] {
            return Accounts.Violation(
                resource: resource, limit: limit[resource], used: used[resource],
                requested: amount, caller: whose)
        }
        return nil
    }

    fileprivate mutating func change(_ resource: Resource, by amount: Int, of caller: Caller) {
        total[resource] += amount
        var own = used[caller] ?? Amounts()
        own[resource] += amount
        used[caller] = own.isZero ? nil : own
    }
}

/// The account of one caller.
package struct Account: Sendable {
    /// Whose it is.
    package let caller: Caller
    /// The accounts that it belongs to.
    package let accounts: Accounts

    /// Takes an amount of a resource, all or nothing.
    ///
    /// - Returns: The right to what was taken. It is given back when the hold is released or forgotten.
    /// - Throws: `resourceExhausted` where a bound would be exceeded.
    package func take(_ resource: Resource, _ amount: Int = 1) throws(RequestError) -> Hold {
        let hold = Hold(resource, of: self)
        try hold.resize(to: amount)
        return hold
    }

    /// Notes what the caller has, whatever the bounds say: what was accepted by an earlier process.
    package func note(_ resource: Resource, _ amount: Int) -> Hold {
        Hold(resource, of: self, noted: amount)
    }

    /// What the caller holds.
    package var used: Amounts { accounts.used(by: caller) }

    /// How much the caller may hold.
    package var bounds: Amounts { accounts.limits.bounds(of: caller) }
}

/// What was taken from an account; it is given back exactly once, by `release()` or when nobody keeps the
/// hold any more.
package final class Hold: Sendable {
    /// What is held.
    package let resource: Resource
    private let account: Account
    private let state: Guarded<(amount: Int, isReleased: Bool)>

    fileprivate init(_ resource: Resource, of account: Account, noted amount: Int = 0) {
        self.resource = resource
        self.account = account
        state = Guarded((max(0, amount), false))
        if amount > 0 { account.accounts.note(resource, amount, of: account.caller) }
    }

    deinit { release() }

    /// How much is held; 0 after the release.
    package var amount: Int { state.withLock { $0.amount } }

    /// Takes more, or gives a part back.
    ///
    /// - Throws: `resourceExhausted` where a bound would be exceeded; what was held stays held. A hold that
    ///   was released takes nothing.
    package func resize(to amount: Int) throws(RequestError) {
        let (resource, account) = (resource, account)
        try state.withLock { state throws(RequestError) in
            guard !state.isReleased else { return }
            let difference = max(0, amount) - state.amount
            if difference > 0 {
                try account.accounts.take(resource, difference, for: account.caller)
            } else if difference < 0 {
                account.accounts.giveBack(resource, -difference, of: account.caller)
            }
            state.amount += difference
        }
    }

    /// Holds another amount from now on, whatever the bounds say. A hold that was released stays so.
    package func note(_ amount: Int) {
        state.withLock { state in
            guard !state.isReleased else { return }
            let difference = max(0, amount) - state.amount
            account.accounts.note(resource, difference, of: account.caller)
            state.amount += difference
        }
    }

    /// Gives everything back. A second call does nothing.
    package func release() {
        let amount = state.withLock { state in
            defer { state = (0, true) }
            return state.amount
        }
        if amount > 0 { account.accounts.giveBack(resource, amount, of: account.caller) }
    }
}

extension Accounts {
    fileprivate func note(_ resource: Resource, _ amount: Int, of caller: Caller) {
        state.withLock { $0.change(resource, by: amount, of: caller) }
    }
}
