/// Where a Redis or Valkey server is: `redis://host:6379/0`.
package struct RedisAddress: Hashable, Sendable, CustomStringConvertible {
    /// A host name, an IPv4 address, or an IPv6 address without its brackets.
    package let host: String
    package let port: Int
    /// The number of the database.
    package let database: Int

    /// The address that is written so; nil for anything else, also for one with a user or a password, which belong
    /// in a file that others cannot read.
    package init?(_ text: String) {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "redis" else { return nil }
        let place = parts[1].split(separator: "/", omittingEmptySubsequences: false)
        guard place.count <= 2, let authority = place.first, !authority.contains("@") else {
            return nil
        }
        let words = place.count == 2 && !place[1].isEmpty ? place[1] : "0"
        guard let database = Int(words), (0...1_000_000).contains(database) else { return nil }
        self.database = database
        guard let (host, port) = Self.hostAndPort(authority) else { return nil }
        self.host = host
        self.port = port
    }

    private static func hostAndPort(_ text: Substring) -> (String, Int)? {
        var host = text
        var port = "6379"[...]
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            if !rest.isEmpty { port = rest.dropFirst() }
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        let isHost =
            !host.isEmpty
            && host.utf8.allSatisfy { byte in
                (48...58).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                    || byte == UInt8(ascii: "_")
            }
        guard isHost, let number = Int(port), (1...65535).contains(number) else { return nil }
        return (String(host), number)
    }

    package var description: String {
        let shown = host.contains(":") ? "[\(host)]" : host
        let database = self.database == 0 ? "" : "/\(self.database)"
        return "redis://\(shown):\(port)\(database)"
    }
}

/// How a daemon proves itself to a Redis server.
package struct RedisCredentials: Hashable, Sendable {
    /// Nil for the default user.
    package let user: String?
    package let password: String

    /// The credentials in a text: `PASSWORD`, or `USER PASSWORD`, on one line; nil for anything else.
    package init?(_ text: String) {
        let lines = text.split(separator: "\n")
        guard lines.count == 1 else { return nil }
        let words = lines[0].split(separator: " ")
        guard let password = words.last, words.count <= 2 else { return nil }
        user = words.count == 2 ? String(words[0]) : nil
        self.password = String(password)
    }
}
