extension StateFile {
    /// The file that these bytes are.
    ///
    /// - Throws: `damaged`, with what is wrong, when they are anything else than what was written.
    package init(_ bytes: [UInt8], expecting kind: Kind) throws(StorageError) {
        guard bytes.starts(with: Self.magic) else {
            throw Self.damage("it does not begin as a file of posed's does")
        }
        guard let version = LittleEndian.value(UInt32.self, in: bytes, at: 8),
            let found = LittleEndian.value(UInt32.self, in: bytes, at: 12),
            let count = LittleEndian.value(UInt32.self, in: bytes, at: 48)
        else { throw Self.damage("it ends within its header, after \(bytes.count) bytes") }
        guard version == Self.version else {
            throw Self.damage(
                "it has version \(version) of the layout, and \(Self.version) is understood")
        }
        guard count <= Self.greatestBlocks else {
            throw Self.damage("it has at most \(Self.greatestBlocks) blocks, but says \(count)")
        }
        let headerEnd = Self.tableOffset + Int(count) * Self.tableEntry
        guard bytes.count >= headerEnd + Self.digestBytes else {
            throw Self.damage("it ends within its header, after \(bytes.count) bytes")
        }
        guard
            bytes[headerEnd...].starts(with: Self.digest(bytes[..<headerEnd]))
        else { throw Self.damage("its header does not have the checksum that it says") }
        guard found == kind.rawValue else {
            throw Self.damage("it is of kind \(found), and \(kind.rawValue) was expected")
        }
        self.kind = kind
        fingerprint = ContentKey(digest: Array(bytes[16..<48]))
        blocks = try Self.blocks(Int(count), in: bytes, from: headerEnd + Self.digestBytes)
    }

    private static func blocks(
        _ count: Int, in bytes: [UInt8], from start: Int
    ) throws(StorageError) -> [Block] {
        var blocks: [Block] = []
        var position = start
        for index in 0..<count {
            let entry = tableOffset + index * tableEntry
            guard let raw = LittleEndian.value(UInt32.self, in: bytes, at: entry),
                let tag = Tag(rawValue: raw),
                let length = LittleEndian.value(UInt64.self, in: bytes, at: entry + 8)
            else { throw damage("block \(index) is of a kind that is not understood") }
            guard length <= UInt64(bytes.count - position) else {
                throw damage(
                    "block \(index) has \(length) bytes, but \(bytes.count - position) are left")
            }
            let content = bytes[position..<position + Int(length)]
            guard bytes[(entry + 16)...].starts(with: digest(content)) else {
                throw damage("block \(index) does not have the checksum that it says")
            }
            blocks.append(Block(tag, Array(content)))
            position += Int(length)
        }
        guard position == bytes.count else {
            throw damage("\(bytes.count - position) bytes follow its last block")
        }
        return blocks
    }

    static func damage(_ sentence: String) -> StorageError { StorageError(.damaged, sentence) }
}
