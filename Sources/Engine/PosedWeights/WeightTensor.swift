/// A named tensor as it lies in a file: elements in row-major order, little-endian.
///
/// A value keeps the storage behind it alive; the pages of a mapped file stay mapped until the last
/// tensor and the store are gone.
package struct WeightTensor: Sendable {
    /// The full name, such as `blocks.0.attn.qkv.weight`.
    package let name: String
    /// The element type.
    package let dtype: ElementType
    /// The extents, outermost first; empty for a scalar.
    package let shape: [Int]
    /// The number of elements: the product of `shape`.
    package let count: Int
    /// False for the zeros that stand in for a tensor which a reader did not find.
    package let isPresent: Bool

    private let storage: WeightStorage
    private let offset: Int

    /// A view of `storage` from `offset` on.
    ///
    /// The caller has checked that `count` is the product of `shape` and that the bytes are there.
    init(
        name: String, dtype: ElementType, shape: [Int], count: Int, storage: WeightStorage,
        offset: Int, isPresent: Bool = true
    ) {
        precondition(offset >= 0 && offset + count * dtype.size <= storage.bytes.count)
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.count = count
        self.storage = storage
        self.offset = offset
        self.isPresent = isPresent
    }

    /// The tensor's length in bytes.
    package var byteCount: Int { count * dtype.size }

    /// The tensor's bytes, valid while this value (or another of the same store) lives. They need
    /// not be aligned to the element.
    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: storage.bytes[offset..<offset + byteCount])
    }

    /// Lets the system take back the pages of a mapped tensor, once its elements have been copied
    /// elsewhere. Reading it again stays correct; the pages then come from the file once more.
    package func release() {
        storage.release(offset..<offset + byteCount)
    }

    /// The same elements under another name and a shape of as many elements.
    func viewed(as name: String, shape: [Int]) -> WeightTensor {
        WeightTensor(
            name: name, dtype: dtype, shape: shape, count: count, storage: storage,
            offset: offset, isPresent: isPresent)
    }
}

extension WeightTensor {
    /// The number of elements of a shape, or nil if an extent is negative or the product overflows.
    package static func count(of shape: [Int]) -> Int? {
        guard !shape.contains(where: { $0 < 0 }) else { return nil }
        if shape.contains(0) { return 0 }
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
            count = product
        }
        return count
    }

    /// A float32 tensor in memory of its own; nil unless `floats` has as many elements as `shape`.
    package init?(name: String, shape: [Int], floats: [Float]) {
        guard let count = Self.count(of: shape), count == floats.count,
            let storage = WeightStorage.pages(
                count: count * ElementType.f32.size,
                fill: { target in floats.withUnsafeBytes { target.copyMemory(from: $0) } })
        else { return nil }
        self.init(
            name: name, dtype: .f32, shape: shape, count: count, storage: storage, offset: 0)
    }

    /// Zeros of the given shape that cost no memory until read; an empty tensor if the shape is
    /// beyond any machine.
    static func standIn(name: String, shape: [Int]) -> WeightTensor {
        if let count = count(of: shape), count <= 1 << 40,
            let storage = WeightStorage.pages(count: count * ElementType.f32.size)
        {
            return WeightTensor(
                name: name, dtype: .f32, shape: shape, count: count, storage: storage, offset: 0,
                isPresent: false)
        }
        return WeightTensor(
            name: name, dtype: .f32, shape: [0], count: 0, storage: .empty, offset: 0,
            isPresent: false)
    }
}
