internal import PosedBase
package import PosedSessions

/// Sessions' records in Redis: a hash for each, with the fields `version`, `record` and `pictures`, that Redis forgets
/// by itself when the session's time is over.
///
/// Each step is one script, which Redis runs as a whole. The keys are digests: neither names nor identities can be read
/// off them.
package struct RedisRecords: SharedRecords {
    private let client: RedisClient
    package let place: String

    /// Records in the server that a client is connected to.
    package init(_ client: RedisClient, place: String) {
        self.client = client
        self.place = place
    }

    private static let findScript = """
        local version = redis.call('HGET', KEYS[1], 'version')
        if not version then return {'absent'} end
        if version == 'removed' then return {'removed'} end
        if version == ARGV[1] then return {'same'} end
        local fields = redis.call('HMGET', KEYS[1], 'record', 'pictures')
        return {'record', version, redis.call('PTTL', KEYS[1]), fields[1], fields[2]}
        """

    private static let writeScript = """
        local version = redis.call('HGET', KEYS[1], 'version')
        local isNew = not version or (version == 'removed' and ARGV[1] == '')
        if not isNew and version ~= ARGV[1] and string.sub(version, -#ARGV[5]) ~= ARGV[5] then
          return 'conflict'
        end
        if isNew and #ARGV < 7 then return 'incomplete' end
        redis.call('HSET', KEYS[1], 'version', ARGV[2], 'record', ARGV[3])
        if #ARGV > 6 then redis.call('HSET', KEYS[1], 'pictures', ARGV[7]) end
        redis.call('PEXPIRE', KEYS[1], ARGV[4])
        redis.call('ZADD', KEYS[2], 0, ARGV[6])
        redis.call('PEXPIRE', KEYS[2], ARGV[4], 'NX')
        redis.call('PEXPIRE', KEYS[2], ARGV[4], 'GT')
        return 'written'
        """

    private static let removeScript = """
        local version = redis.call('HGET', KEYS[1], 'version')
        if version and version ~= 'removed' and string.sub(version, 1, #ARGV[1]) ~= ARGV[1] then
          return 'another'
        end
        redis.call('ZREM', KEYS[2], ARGV[3])
        redis.call('DEL', KEYS[1])
        redis.call('HSET', KEYS[1], 'version', 'removed')
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        return 'removed'
        """

    package func find(
        _ key: String, unless version: String
    ) async throws(StorageError) -> SharedFinding {
        let answer = try await run(Self.findScript, [key], [Array(version.utf8)])
        guard case .array(let values?) = answer else { throw strange(answer) }
        switch (values.first?.text, values.count) {
        case ("absent", 1): return .absent
        case ("removed", 1): return .removed
        case ("same", 1): return .same
        case ("record", 5):
            guard let version = values[1].text, case .integer(let left) = values[2] else {
                throw strange(answer)
            }
            return .record(
                version: version, record: values[3].content ?? [],
                pictures: values[4].content ?? [], timeLeft: .milliseconds(max(0, left)))
        default: throw strange(answer)
        }
    }

    package func write(
        _ place: SharedPlace, _ change: SharedChange
    ) async throws(StorageError) -> SharedOutcome {
        var arguments = [
            Array(change.base.utf8), Array(change.version.utf8), change.record,
            Self.milliseconds(change.timeToLive), Array(change.writer.utf8),
            Array(place.entry.utf8),
        ]
        if let pictures = change.pictures { arguments.append(pictures) }
        let answer = try await run(Self.writeScript, [place.key, place.list], arguments)
        switch answer.text {
        case "written": return .written
        case "incomplete": return .incomplete
        case "conflict": return .conflict
        default: throw strange(answer)
        }
    }

    package func remove(
        _ place: SharedPlace, of id: SessionID, noting duration: Duration
    ) async throws(StorageError) {
        _ = try await run(
            Self.removeScript, [place.key, place.list],
            [Array("\(id)-".utf8), Self.milliseconds(duration), Array(place.entry.utf8)])
    }

    package func entries(
        of list: String, after text: String, limit: Int
    ) async throws(StorageError) -> [String] {
        let words = [
            "ZRANGE", list, text.isEmpty ? "-" : "(\(text)", "+", "BYLEX", "LIMIT", "0",
            String(limit),
        ]
        let answer = try await client.call(words.map { Array($0.utf8) })
        guard case .array(let values?) = answer else { throw strange(answer) }
        return values.compactMap(\.text)
    }

    private func run(
        _ script: String, _ keys: [String], _ arguments: [[UInt8]]
    ) async throws(StorageError) -> RedisValue {
        let words = ["EVAL", script, String(keys.count)] + keys
        return try await client.call(words.map { Array($0.utf8) } + arguments)
    }

    private static func milliseconds(_ duration: Duration) -> [UInt8] {
        Array(String(max(1, duration.wholeMilliseconds)).utf8)
    }

    private func strange(_ answer: RedisValue) -> StorageError {
        StorageError(
            .unreadable,
            "\(place): an answer of the daemon's script expected, but it was "
                + String("\(answer)".prefix(80)))
    }
}
