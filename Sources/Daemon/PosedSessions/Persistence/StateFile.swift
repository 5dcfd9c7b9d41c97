import CPosedDigest

/// The content of a file that outlives the process, in the state directory or in memory: blocks of bytes behind a header that can tell
/// whether each of them, and the header itself, is what was written.
///
/// ```
/// 0    8   "posedsta"
/// 8    4   version of this layout
/// 12   4   kind of file
/// 16   32  fingerprint of the model that it was made with
/// 48   4   number n of blocks
/// 52   4   zero
/// 56   48n for each block: tag (4), zero (4), length (8), SHA-256 of its bytes (32)
///      32  SHA-256 of everything above
///          the blocks, one after the other, and nothing behind them
/// ```
/// Integers have their least significant byte first. A file is taken as a whole or not at all.
package struct StateFile: Hashable, Sendable {
    /// What a file holds.
    package enum Kind: UInt32, Sendable, CaseIterable {
        /// What a session is, without its pictures.
        case session = 1
        /// A session's pictures.
        case pictures = 2
        /// An encoded source.
        case source = 3
    }

    /// What a block holds.
    package enum Tag: UInt32, Sendable, CaseIterable {
        /// A session as JSON.
        case record = 1
        /// A picture's width and height, four bytes each.
        case size = 2
        /// The pixels of the picture whose size came before.
        case pixels = 3
        /// The key of an encoded source.
        case key = 4
        /// A tensor's type, four bytes, and the extents of its shape, eight bytes each; nothing for one that the
        /// model does without.
        case shape = 5
        /// The elements of the tensor whose shape came before.
        case elements = 6
    }

    /// A part of a file.
    package struct Block: Hashable, Sendable {
        /// What it holds.
        package let tag: Tag
        /// Its bytes.
        package let bytes: [UInt8]

        /// A block.
        package init(_ tag: Tag, _ bytes: [UInt8]) {
            self.tag = tag
            self.bytes = bytes
        }
    }

    /// The version that is written, and the only one that is read.
    package static let version: UInt32 = 1
    static let magic = Array("posedsta".utf8)
    static let tableOffset = 56
    static let tableEntry = 48
    static let digestBytes = 32
    /// The most blocks of a file.
    static let greatestBlocks = 4096

    /// What the file holds.
    package let kind: Kind
    /// What it was made with; files of another model may be outdated.
    package let fingerprint: ContentKey
    /// Its parts.
    package let blocks: [Block]

    /// A file of these blocks.
    package init(kind: Kind, fingerprint: ContentKey, blocks: [Block]) {
        self.kind = kind
        self.fingerprint = fingerprint
        self.blocks = blocks
    }

    /// The bytes to write: the header, then each block.
    package func encoded() -> [[UInt8]] {
        var header = Self.magic
        header += LittleEndian.bytes(of: Self.version)
        header += LittleEndian.bytes(of: kind.rawValue)
        header += fingerprint.bytes
        header += LittleEndian.bytes(of: UInt32(blocks.count))
        header += [0, 0, 0, 0]
        for block in blocks {
            header += LittleEndian.bytes(of: block.tag.rawValue)
            header += [0, 0, 0, 0]
            header += LittleEndian.bytes(of: UInt64(block.bytes.count))
            header += Self.digest(block.bytes[...])
        }
        header += Self.digest(header[...])
        return [header] + blocks.map(\.bytes)
    }

    /// SHA-256, as the header's checksums are.
    package static func digest(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        bytes.withUnsafeBytes { source in
            Array(unsafeUninitializedCapacity: Int(POSED_DIGEST_BYTES)) { result, count in
                if let start = result.baseAddress {
                    posed_digest_of(source.baseAddress, source.count, start)
                }
                count = result.count
            }
        }
    }
}
