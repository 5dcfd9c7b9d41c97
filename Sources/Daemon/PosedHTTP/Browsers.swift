internal import Foundation
package import HTTPTypes
internal import PosedGuarded
package import PosedRPC

/// Who may use the pages from a browser: tickets that open a session of a browser, and the cookies that keep it.
///
/// A ticket is used once, within a minute. The cookie is sent by the browser to this daemon's pages alone
/// (`SameSite=Strict`), and scripts cannot read it.
package final class Browsers: Sendable {
    private struct State {
        var studio = ""
        var tickets: [String: (identity: Identity, end: ContinuousClock.Instant)] = [:]
        var cookies: [String: (identity: Identity, end: ContinuousClock.Instant)] = [:]
    }

    /// How long a ticket can be used.
    package static let ticketLife = Duration.seconds(60)
    /// How long a cookie is good.
    static let cookieLife = Duration.seconds(12 * 3600)
    /// The most tickets and the most cookies that are kept; the one that ends first goes for a new one.
    private static let limit = 256
    static let cookieName = "posed_studio"

    private let state = Guarded(State())

    package init() {}

    /// The address of the studio, without a ticket.
    package var studio: String {
        get { state.withLock { $0.studio } }
        set { state.withLock { $0.studio = newValue } }
    }

    /// Makes an address that opens the studio for an identity, once.
    package var address: @Sendable (Identity) -> String {
        { [self] identity in
            let ticket = Self.secret()
            return state.withLock { state in
                Self.trim(&state.tickets)
                state.tickets[ticket] = (identity, .now.advanced(by: Self.ticketLife))
                return "\(state.studio)?ticket=\(ticket)"
            }
        }
    }

    /// The cookie that a ticket buys; nil for a ticket that was used, is too old or never was.
    package func redeem(_ ticket: String) -> String? {
        let cookie = Self.secret()
        return state.withLock { state in
            guard let (identity, end) = state.tickets.removeValue(forKey: ticket), end > .now else {
                return nil
            }
            Self.trim(&state.cookies)
            state.cookies[cookie] = (identity, .now.advanced(by: Self.cookieLife))
            return cookie
        }
    }

    /// Whom the cookies of a request stand for; nil where none is good.
    package func identity(cookies header: String?) -> Identity? {
        guard let header else { return nil }
        for piece in header.split(separator: ";") {
            let pair = piece.split(separator: "=", maxSplits: 1)
            guard pair.count == 2,
                pair[0].trimmingCharacters(in: .whitespaces) == Self.cookieName
            else { continue }
            let found = state.withLock { $0.cookies[String(pair[1])] }
            if let found, found.end > .now { return found.identity }
        }
        return nil
    }

    private static func trim(
        _ entries: inout [String: (identity: Identity, end: ContinuousClock.Instant)]
    ) {
        entries = entries.filter { $0.value.end > .now }
        while entries.count >= limit, let first = entries.min(by: { $0.value.end < $1.value.end }) {
            entries.removeValue(forKey: first.key)
        }
    }

    /// 256 bits of the system's random numbers, in letters that may stand in an address.
    private static func secret() -> String {
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        return Data(bytes).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

/// The checks that keep pages of other sites from using a visitor's browser against the daemon.
package struct OriginCheck: Sendable {
    /// The values of `Host` that mean this daemon, in lower case.
    var hosts: Set<String>
    /// `http` or `https`.
    var scheme: String

    /// A check of a daemon with these names.
    package init(hosts: Set<String>, scheme: String) {
        self.hosts = hosts
        self.scheme = scheme
    }

    /// Throws for a request that a browser made for another site, or under a foreign name of this host.
    ///
    /// Requests with a bearer token need no such check: no page can make a browser send one.
    package func check(_ headers: HTTPFields, authority: String?) throws(Problem) {
        let host = (authority ?? "").lowercased()
        guard hosts.contains(host) else {
            throw Problem(
                .misdirectedRequest, .permissionDenied,
                "Host: expected \(hosts.sorted().joined(separator: " or ")), got \"\(host)\"; "
                    + "http.api.hosts names further ones")
        }
        if let origin = headers[.origin], origin.lowercased() != "\(scheme)://\(host)" {
            throw Problem(
                .forbidden, .permissionDenied,
                "Origin: expected \(scheme)://\(host), got \"\(origin)\"")
        }
        if let name = HTTPField.Name("Sec-Fetch-Site"), let site = headers[name],
            site != "same-origin", site != "none"
        {
            throw Problem(
                .forbidden, .permissionDenied, "a page of another site made this request")
        }
    }
}
