import PosedErrors

extension SessionTable {
    /// The most bytes of an identity's text.
    static var greatestOwnerBytes: Int { 1024 }

    /// Throws `invalidArgument` unless a session may be made so.
    func check(_ draft: SessionDraft<Settings>, owner: String) throws(RequestError) {
        guard (1...Self.greatestOwnerBytes).contains(owner.utf8.count) else {
            throw RequestError(
                .invalidArgument,
                "an identity has 1 to \(Self.greatestOwnerBytes) bytes, but this one has "
                    + "\(owner.utf8.count)")
        }
        guard (1...limits.picturesPerSession).contains(draft.pictures.count) else {
            throw RequestError(
                .invalidArgument,
                "a session has 1 to \(limits.picturesPerSession) pictures, but "
                    + "\(draft.pictures.count) came", at: "sources")
        }
        if let id = draft.chosenID { try SessionText.checkChosenID(id) }
        if let id = draft.requestID { try SessionText.checkRequestID(id) }
        try SessionText.checkDisplayName(draft.displayName)
        try SessionText.checkLabels(draft.labels)
        if let timeToLive = draft.timeToLive { try check(timeToLive) }
    }

    /// Throws `invalidArgument` unless a time to live is within the limits.
    func check(_ timeToLive: Duration) throws(RequestError) {
        guard timeToLive >= limits.leastTimeToLive, timeToLive <= limits.greatestTimeToLive else {
            throw RequestError(
                .invalidArgument,
                "a session's time to live is between \(limits.leastTimeToLive) and "
                    + "\(limits.greatestTimeToLive), but \(timeToLive) came", at: "ttl")
        }
    }
}
