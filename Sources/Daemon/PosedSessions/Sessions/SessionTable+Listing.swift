package import PosedErrors

extension SessionTable {
    /// A page of an identity's sessions, in the order of their creation.
    ///
    /// - Parameters:
    ///   - size: how many at most; 0 for the default, and never more than the greatest.
    ///   - token: what the page before came with; nil or empty for the first page.
    /// - Throws: `invalidArgument` for a negative size or a token that is none.
    package mutating func page(
        owner: String, size: Int, token: String?, at now: Time
    ) throws(RequestError) -> SessionPage<Settings> {
        guard size >= 0 else {
            throw RequestError(
                .invalidArgument, "a page has 0 (the default) or more sessions, but \(size) came",
                at: "page_size")
        }
        var start: PageToken?
        if let token, !token.isEmpty { start = try PageToken(token, owner: owner) }
        sweep(at: now)
        let usage = owners[owner] ?? OwnerUsage()
        let size =
            size == 0
            ? SessionPage<Settings>.defaultSize : min(size, SessionPage<Settings>.greatestSize)
        let rest = usage.positions(after: start?.position)
        let shown = rest.prefix(size)
        let last = shown.last.flatMap { rest.count > shown.count ? $0 : nil }
        return SessionPage(
            sessions: shown.compactMap { entries[$0.id].map { seen($0, at: now) } },
            nextToken: last.map { PageToken(after: $0).text(owner: owner) },
            totalCount: usage.positions.count)
    }
}
