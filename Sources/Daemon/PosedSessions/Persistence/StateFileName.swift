/// The name of a file in the state directory. Names are made of ids alone, so none leads
/// out of the directory.
package enum StateFileName: Hashable, Sendable {
    /// What a session is, without its pictures.
    case session(SessionID)
    /// A session's pictures.
    case pictures(SessionID)
    /// A file that is being written, to get this name in the end.
    indirect case unfinished(StateFileName)
    /// A file that could not be understood and was set aside.
    indirect case corrupt(StateFileName)

    /// The name as the file system knows it.
    package var text: String {
        switch self {
        case .session(let id): "\(id).session"
        case .pictures(let id): "\(id).pictures"
        case .unfinished(let name): ".\(name.text).unfinished"
        case .corrupt(let name): "\(name.text).corrupt"
        }
    }

    /// What a file of this name is; nil when it is none of ours.
    package init?(_ text: some StringProtocol) {
        if text.hasPrefix("."), text.hasSuffix(".unfinished") {
            guard let name = Self(plain: text.dropFirst().dropLast(".unfinished".count))
            else { return nil }
            self = .unfinished(name)
        } else if text.hasSuffix(".corrupt") {
            guard let name = Self(plain: text.dropLast(".corrupt".count)) else { return nil }
            self = .corrupt(name)
        } else {
            self.init(plain: text)
        }
    }

    private init?(plain text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let id = SessionID(parts[0]) else { return nil }
        switch parts[1] {
        case "session": self = .session(id)
        case "pictures": self = .pictures(id)
        default: return nil
        }
    }
}
