import CPosedDigest

/// Makes a ``ContentKey`` from named parts.
///
/// Every part goes in with its name and its length before it, so no two lists of parts are the same
/// bytes.
package struct ContentHasher: ~Copyable {
    private let digest: OpaquePointer = posed_digest_create()

    /// A hasher for keys of one kind; keys of different kinds never meet.
    package init(kind: String) {
        combine("kind", kind)
    }

    deinit { posed_digest_destroy(digest) }

    /// Adds bytes under a name.
    package mutating func combine(_ name: String, _ bytes: [UInt8]) {
        begin(name, count: bytes.count)
        add(bytes)
    }

    /// Adds a text under a name.
    package mutating func combine(_ name: String, _ text: String) {
        combine(name, Array(text.utf8))
    }

    /// Adds a number under a name.
    package mutating func combine(_ name: String, _ number: Int) {
        combine(name, LittleEndian.bytes(of: UInt64(bitPattern: Int64(number))))
    }

    /// Adds a picture: its size and its pixels.
    package mutating func combine(_ name: String, _ picture: SourcePicture) {
        combine(name + ".width", picture.width)
        combine(name + ".height", picture.height)
        combine(name, picture.pixels)
    }

    /// The key of everything added.
    package consuming func key() -> ContentKey {
        ContentKey(
            digest: Array(unsafeUninitializedCapacity: Int(POSED_DIGEST_BYTES)) { bytes, count in
                if let start = bytes.baseAddress { posed_digest_finish(digest, start) }
                count = bytes.count
            })
    }

    private mutating func begin(_ name: String, count: Int) {
        let name = Array(name.utf8)
        add(LittleEndian.bytes(of: UInt64(name.count)))
        add(name)
        add(LittleEndian.bytes(of: UInt64(count)))
    }

    private mutating func add(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { posed_digest_add(digest, $0.baseAddress, $0.count) }
    }
}

extension ContentKey {
    /// The key of pictures, in their order.
    package static func pictures(_ pictures: [SourcePicture]) -> ContentKey {
        var hasher = ContentHasher(kind: "pictures")
        for picture in pictures { hasher.combine("picture", picture) }
        return hasher.key()
    }

    /// The key of a source's conditioning.
    ///
    /// - Parameters:
    ///   - pictures: the key of the decoded pictures, as a session has it.
    ///   - preprocessing: everything between these pixels and what the encoders see, as a text.
    ///   - weights: the fingerprint of the model's weights.
    ///   - numerics: the class of arithmetic (backend, precision); results of different classes
    ///     differ in their last bits and are not exchanged.
    ///   - salt: an identity that shares its entries with no one, so that nobody learns from the
    ///     time that a request takes whether another used the same picture; nil shares with all.
    package static func conditioning(
        pictures: ContentKey, preprocessing: String, weights: [UInt8], numerics: String,
        salt: String? = nil
    ) -> ContentKey {
        var hasher = ContentHasher(kind: "conditioning")
        hasher.combine("salted", salt == nil ? 0 : 1)
        hasher.combine("salt", salt ?? "")
        hasher.combine("preprocessing", preprocessing)
        hasher.combine("weights", weights)
        hasher.combine("numerics", numerics)
        hasher.combine("pictures", pictures.bytes)
        return hasher.key()
    }

    /// The key of the conditioning of pictures whose key is not known yet; the same as with it.
    package static func conditioning(
        pictures: [SourcePicture], preprocessing: String, weights: [UInt8], numerics: String,
        salt: String? = nil
    ) -> ContentKey {
        conditioning(
            pictures: .pictures(pictures), preprocessing: preprocessing, weights: weights,
            numerics: numerics, salt: salt)
    }

    /// The key of an encoded pose.
    ///
    /// - Parameters:
    ///   - pose: the pose as the encoders see it, in bytes: joints or pixels.
    ///   - preprocessing: everything between these bytes and the encoders (size included).
    ///   - weights, numerics, salt: as for conditioning.
    package static func pose(
        _ pose: [UInt8], preprocessing: String, weights: [UInt8], numerics: String,
        salt: String? = nil
    ) -> ContentKey {
        var hasher = ContentHasher(kind: "pose")
        hasher.combine("salted", salt == nil ? 0 : 1)
        hasher.combine("salt", salt ?? "")
        hasher.combine("preprocessing", preprocessing)
        hasher.combine("weights", weights)
        hasher.combine("numerics", numerics)
        hasher.combine("pose", pose)
        return hasher.key()
    }
}
