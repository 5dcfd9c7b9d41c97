internal import HTTPTypes
internal import PosedHTTP
internal import PosedRPC
internal import Testing

@Suite("Browsers")
struct BrowsersTests {
    @Test("get a cookie for a ticket, once, and are whom the ticket was made for")
    func tickets() throws {
        let browsers = Browsers()
        browsers.studio = "http://localhost:1/studio"
        let address = browsers.address(.unix(user: 7))
        #expect(address.hasPrefix("http://localhost:1/studio?ticket="))
        let ticket = try #require(address.split(separator: "=").last.map(String.init))
        let cookie = try #require(browsers.redeem(ticket))
        #expect(browsers.redeem(ticket) == nil)
        #expect(browsers.identity(cookies: "a=b; posed_studio=\(cookie)") == .unix(user: 7))
        #expect(browsers.identity(cookies: "posed_studio=\(ticket)") == nil)
        #expect(browsers.identity(cookies: nil) == nil)
    }

    @Test("are known in a bounded number; the one whose time ends first goes")
    func bound() throws {
        let browsers = Browsers()
        let first = try #require(browsers.address(.anonymous).split(separator: "=").last)
        for _ in 0..<256 { _ = browsers.address(.anonymous) }
        #expect(browsers.redeem(String(first)) == nil)
    }

    private let check = OriginCheck(hosts: ["localhost:8080", "posed.example"], scheme: "http")

    @Test(
        "may make requests of the daemon's own pages",
        arguments: [
            [:], [.origin: "http://localhost:8080"],
            [HTTPField.Name("Sec-Fetch-Site") ?? .origin: "same-origin"],
        ] as [HTTPFields])
    func own(_ headers: HTTPFields) {
        #expect(throws: Never.self) { try check.check(headers, authority: "LocalHost:8080") }
    }

    @Test(
        "may make none for other pages",
        arguments: [
            [.origin: "http://evil.example"], [.origin: "https://localhost:8080"],
            [.origin: "null"], [HTTPField.Name("Sec-Fetch-Site") ?? .origin: "cross-site"],
            [HTTPField.Name("Sec-Fetch-Site") ?? .origin: "same-site"],
        ] as [HTTPFields])
    func others(_ headers: HTTPFields) {
        #expect(throws: Problem.self) { try check.check(headers, authority: "localhost:8080") }
    }

    @Test("may not reach the daemon under a foreign name", arguments: ["evil.example", "", nil])
    func rebinding(_ authority: String?) {
        #expect(throws: Problem.self) { try check.check([:], authority: authority) }
    }
}
