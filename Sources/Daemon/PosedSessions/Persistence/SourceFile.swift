/// A source's conditioning as it outlives the process: tensors in the host's memory.
package struct SourceFile: Hashable, Sendable {
    /// A tensor.
    package struct Part: Hashable, Sendable {
        /// The number of its elements' type.
        package let type: UInt32
        package let shape: [Int]
        /// The elements in row-major order.
        package let elements: [UInt8]

        /// A tensor as given.
        package init(type: UInt32, shape: [Int], elements: [UInt8]) {
            self.type = type
            self.shape = shape
            self.elements = elements
        }
    }

    /// What the source depends on; the owner is part of it.
    package let key: ContentKey
    /// Its tensors; nil for one that the model does without.
    package let parts: [Part?]

    /// A source as given.
    package init(key: ContentKey, parts: [Part?]) {
        self.key = key
        self.parts = parts
    }

    /// The bytes to write.
    ///
    /// - Parameter fingerprint: of all that a reader must be equal in: the models, the devices' numerics, the version.
    package func encoded(fingerprint: ContentKey) -> [[UInt8]] {
        var blocks = [StateFile.Block(.key, key.bytes)]
        for part in parts {
            guard let part else {
                blocks.append(StateFile.Block(.shape, []))
                continue
            }
            let shape =
                LittleEndian.bytes(of: part.type)
                + part.shape.flatMap { LittleEndian.bytes(of: UInt64(clamping: $0)) }
            blocks.append(StateFile.Block(.shape, shape))
            blocks.append(StateFile.Block(.elements, part.elements))
        }
        return StateFile(kind: .source, fingerprint: fingerprint, blocks: blocks).encoded()
    }

    /// The source that these bytes are.
    ///
    /// - Throws: `damaged`, with what is wrong, when they are anything else than what was written, or when whoever
    ///   wrote them had another fingerprint.
    package init(_ bytes: [UInt8], fingerprint: ContentKey) throws(StorageError) {
        let file = try StateFile(bytes, expecting: .source)
        guard file.fingerprint == fingerprint else {
            throw StateFile.damage("it is of another model, device or version")
        }
        guard let first = file.blocks.first, first.tag == .key,
            let key = ContentKey(bytes: first.bytes)
        else { throw StateFile.damage("it does not begin with a key") }
        self.key = key
        var parts: [Part?] = []
        var blocks = file.blocks.dropFirst()
        while let block = blocks.popFirst() {
            guard block.tag == .shape else {
                throw StateFile.damage("elements come without a shape")
            }
            if block.bytes.isEmpty {
                parts.append(nil)
                continue
            }
            guard let type = LittleEndian.value(UInt32.self, in: block.bytes, at: 0),
                (block.bytes.count - 4).isMultiple(of: 8),
                let elements = blocks.popFirst(), elements.tag == .elements
            else { throw StateFile.damage("a tensor's shape is not followed by its elements") }
            let shape = stride(from: 4, to: block.bytes.count, by: 8).map {
                Int(clamping: LittleEndian.value(UInt64.self, in: block.bytes, at: $0) ?? 0)
            }
            parts.append(Part(type: type, shape: shape, elements: elements.bytes))
        }
        self.parts = parts
    }
}
