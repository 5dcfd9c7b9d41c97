package import PosedAccounts
package import PosedErrors

/// What is decided about a call when it arrives, before anything is done for it.
package struct Admission: Sendable {
    /// Who calls.
    package let identity: Identity
    /// Whom the call's work is charged to.
    package let account: Account
    /// The call itself; the server gives it back when the call has ended.
    package let call: Hold
    /// The largest message that the call may send, in bytes.
    package let largestMessage: Int

    /// A decision as given.
    package init(
        identity: Identity, account: Account, call: Hold, largestMessage: Int = .max
    ) {
        self.identity = identity
        self.account = account
        self.call = call
        self.largestMessage = largestMessage
    }
}

/// Decides about a call: finds out who calls, and takes the call from that caller's account.
///
/// It runs on the thread that delivers the calls and must not block.
package typealias Admit = @Sendable (ServerRequest) throws(RPCError) -> Admission

extension Admission {
    /// Lets everybody in as `anonymous`, on one account of `accounts`.
    package static func everybody(_ accounts: Accounts = Accounts()) -> Admit {
        { (request) throws(RPCError) in
            let account = accounts.account(of: .identity(Identity.anonymous.description))
            do throws(RequestError) {
                return Admission(
                    identity: .anonymous, account: account, call: try account.take(.calls))
            } catch {
                throw RPCError(plain: error)
            }
        }
    }
}

extension Caller {
    /// The caller that an identity is.
    package init(_ identity: Identity) { self = .identity(identity.description) }
}

extension RPCError {
    /// The status and the sentence of a refusal.
    package init(plain error: RequestError) {
        self.init(
            StatusCode(rawValue: error.code.rawValue), error.description, cause: error.cause)
    }
}
