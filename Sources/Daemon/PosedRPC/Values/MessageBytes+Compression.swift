internal import CPosedGRPC

extension MessageBytes {
    /// No text of gzip becomes more than so many times as long.
    private static let mostExpansion = 1032

    /// How many bytes the message has when it is not compressed, as its sender claims: what to reserve before
    /// `inflated`.
    package var inflatedCount: Int {
        guard isCompressed else { return count }
        // A member of gzip ends with its size, the least significant byte first.
        return withUnsafeBytes { bytes in
            bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        }
    }

    /// The message itself. Work for a processor, of up to a second for messages near 1 GiB.
    ///
    /// A size that is claimed wrongly is found out before more than that is written.
    ///
    /// - Parameter limit: the most bytes that it may have.
    /// - Throws: `RPCError` with `resourceExhausted` for more than `limit`, with `invalidArgument` for bytes that are
    ///   no message of gzip.
    package func inflated(atMost limit: Int) throws(RPCError) -> MessageBytes {
        guard isCompressed else { return self }
        // Some clients mark an empty message as compressed and leave it empty.
        guard !isEmpty else { return MessageBytes() }
        let claimed = inflatedCount
        guard claimed <= limit else {
            throw RPCError(
                .resourceExhausted,
                "a message may have \(limit) bytes, this one has \(claimed) when it is inflated")
        }
        var isWhole = claimed <= count * MessageBytes.mostExpansion
        guard isWhole else { throw damaged }
        let plain = MessageBytes(count: claimed) { target in
            isWhole = withUnsafeBytes { source in
                posed_gzip_inflate(
                    source.baseAddress, source.count, target.baseAddress, target.count)
            }
        }
        guard isWhole else { throw damaged }
        return plain
    }

    private var damaged: RPCError {
        RPCError(
            .invalidArgument,
            "a message of one member of gzip was expected, \(count) bytes came that are none")
    }
}
