internal import Glibc
internal import PosedGuarded

/// Bearer tokens and the names that go with them, from a file that is read again when it changes.
///
/// One object serves a daemon for all its life: whoever refers to it sees new tokens, and those of another
/// file, as soon as they are put to use.
///
/// A line is a name, white space and a token; empty lines and those that begin with `#` are skipped.
/// A name is of letters, digits, `.`, `_`, `-` and `@`, and may have several tokens, so that an old and
/// a new one are good for a while. A token has 16 to 4096 printable characters. The file must not be
/// readable by everyone.
package final class TokenFile: ReloadableFiles {
    /// A token and who holds it.
    private struct Entry: Equatable {
        let name: String
        let token: [UInt8]
    }

    private struct State {
        var path: String?
        var entries: [Entry]
        /// The file as it was when the watcher last looked at it, good or bad.
        var seen: FileSignature?
    }

    /// What a token's length may be: shorter ones could be guessed.
    package static let lengths = 16...4096
    private static let largestFile = 1 << 20

    private let state: Guarded<State>

    /// Reads the file at `path`; without one no token is good.
    ///
    /// - Throws: `RPCError` with `failedPrecondition` that names the line, never the token.
    package init(_ path: String?) throws(RPCError) {
        state = Guarded(try TokenFile.state(path))
    }

    /// Where the tokens come from; nil where there are none.
    package var path: String? { state.withLock { $0.path } }

    package var paths: [String] { path.map { [$0] } ?? [] }

    package func prepare(always: Bool) throws(RPCError) -> (@Sendable () -> Void)? {
        guard let path else { return nil }
        if !always {
            let now = FileSignature(path)
            let changed = state.withLock { state in
                defer { state.seen = now }
                return state.seen != now
            }
            guard changed else { return nil }
        }
        return try prepare(path: path)
    }

    /// Reads the file at `path`, from which all tokens are to come; nil for no tokens.
    ///
    /// - Returns: what puts it to use; nil when nothing would change.
    /// - Throws: `RPCError` with `failedPrecondition` when the file is no good; the old tokens stay.
    package func prepare(path: String?) throws(RPCError) -> (@Sendable () -> Void)? {
        let new = try TokenFile.state(path)
        let isNew = state.withLock { $0.path != new.path || $0.entries != new.entries }
        guard isNew else { return nil }
        return { [self] in state.withLock { $0 = new } }
    }

    private static func state(_ path: String?) throws(RPCError) -> State {
        guard let path else { return State(path: nil, entries: [], seen: nil) }
        let seen = FileSignature(path)
        return State(path: path, entries: try read(path), seen: seen)
    }

    /// Who holds `token`; nil for nobody.
    ///
    /// The time it takes depends on the length of `token` and on the file, not on how much of which
    /// token is right.
    package func holder(of token: some Collection<UInt8>) -> String? {
        let given = Array(token)
        let entries = state.withLock { $0.entries }
        var found: String?
        for entry in entries where TokenFile.equal(given, entry.token) { found = entry.name }
        return found
    }

    /// Whether somebody of this name holds a token.
    package func hasHolder(_ name: String) -> Bool {
        state.withLock { state in state.entries.contains { $0.name == name } }
    }

    /// Whether both are the same, found out in a time that depends on `given.count` alone.
    @inline(never)
    private static func equal(_ given: [UInt8], _ token: [UInt8]) -> Bool {
        var difference = given.count ^ token.count
        for index in given.indices {
            difference |= Int(given[index] ^ token[index % token.count])
        }
        return difference == 0
    }

    private static func read(_ path: String) throws(RPCError) -> [Entry] {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IROTH != 0 {
            throw RPCError(
                .failedPrecondition,
                "\(path) holds secrets but everyone may read it: take that away with chmod o-r")
        }
        var entries: [Entry] = []
        let text = try TextFile.read(path, atMost: largestFile)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            guard let entry = try parse(line, at: "\(path):\(index + 1)") else { continue }
            guard !entries.contains(where: { $0.token == entry.token }) else {
                throw RPCError(
                    .failedPrecondition, "\(path):\(index + 1): this token is there twice")
            }
            entries.append(entry)
        }
        return entries
    }

    private static func parse(_ line: Substring, at place: String) throws(RPCError) -> Entry? {
        let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }
        guard let name = words.first, !name.hasPrefix("#") else { return nil }
        guard words.count == 2 else {
            throw RPCError(
                .failedPrecondition,
                "\(place): a line has a name and a token, this one has \(words.count) words")
        }
        let isName = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"), UInt8(ascii: "@"):
                true
            default: false
            }
        }
        guard isName else {
            throw RPCError(
                .failedPrecondition,
                "\(place): a name is of letters, digits, '.', '_', '-' and '@'")
        }
        let token = Array(words[1].utf8)
        guard lengths.contains(token.count), token.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw RPCError(
                .failedPrecondition,
                "\(place): a token has \(lengths.lowerBound) to \(lengths.upperBound) printable"
                    + " characters, that of \"\(name)\" has \(token.count) bytes")
        }
        return Entry(name: String(name), token: token)
    }
}
