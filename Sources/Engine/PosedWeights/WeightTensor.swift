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

extension WeightTensor {
    /// The elements as float32, exactly: every F16 and BF16 value is a float32 value.
    ///
    /// Empty for a tensor whose type is not F32, F16 or BF16; a reader hands out no such tensor.
    package func floats() -> [Float] {
        guard dtype.isWeight else { return [] }
        return [Float](unsafeUninitializedCapacity: count) { target, filled in
            copy(to: UnsafeMutableBufferPointer(rebasing: target[..<count]))
            filled = count
        }
    }

    /// Writes the elements as float32 to `target`, which must have room for `count` of them.
    package func copy(to target: UnsafeMutableBufferPointer<Float>) {
        precondition(target.count >= count && dtype.isWeight)
        guard let output = target.baseAddress, let input = bytes.baseAddress else { return }
        switch dtype {
        case .f32:
            UnsafeMutableRawPointer(output).copyMemory(from: input, byteCount: byteCount)
        case .bf16:
            for index in 0..<count {
                let bits = input.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)
                output[index] = Float(bitPattern: UInt32(bits) << 16)
            }
        default:
            for index in 0..<count {
                let bits = input.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)
                output[index] = Self.float(half: bits)
            }
        }
    }

    /// Whether every element is finite. Types other than F32, F16 and BF16 count as finite.
    ///
    /// Adding one to a full exponent field carries into the sign bit, which the loops gather.
    package var isFinite: Bool {
        guard let input = bytes.baseAddress else { return true }
        switch dtype {
        case .f32:
            var carry: UInt32 = 0
            for index in 0..<count {
                let bits = input.loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self)
                carry |= (bits & 0x7F80_0000) &+ 0x0080_0000
            }
            return carry & 0x8000_0000 == 0
        case .bf16: return Self.isFinite(input, count: count, exponent: 0x7F80, one: 0x0080)
        case .f16: return Self.isFinite(input, count: count, exponent: 0x7C00, one: 0x0400)
        default: return true
        }
    }

    /// The index and value of the first element that is not finite.
    package var firstNonFinite: (index: Int, value: Float)? {
        guard !isFinite else { return nil }
        let values = floats()
        return values.firstIndex { !$0.isFinite }.map { ($0, values[$0]) }
    }

    private static func isFinite(
        _ input: UnsafeRawPointer, count: Int, exponent: UInt16, one: UInt16
    ) -> Bool {
        var carry: UInt16 = 0
        for index in 0..<count {
            let bits = input.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)
            carry |= (bits & exponent) &+ one
        }
        return carry & 0x8000 == 0
    }

    /// The float32 equal to an IEEE half: the fields are moved to their places and the exponent's
    /// bias is mended by a multiplication, which also normalizes subnormals; infinity and NaN keep
    /// a full exponent.
    @inline(__always)
    private static func float(half: UInt16) -> Float {
        let magnitude = UInt32(half & 0x7FFF) << 13
        let mended = (Float(bitPattern: magnitude) * Float(bitPattern: 0x7780_0000)).bitPattern
        let special: UInt32 = magnitude >= 0x0F80_0000 ? 0x7F80_0000 : 0
        return Float(bitPattern: mended | special | UInt32(half & 0x8000) << 16)
    }
}

/// The element types that a safetensors file may hold.
package enum ElementType: String, CaseIterable, Hashable, Sendable, CustomStringConvertible {
    case f64 = "F64"
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case f8E4M3 = "F8_E4M3"
    case f8E5M2 = "F8_E5M2"
    case i64 = "I64"
    case i32 = "I32"
    case i16 = "I16"
    case i8 = "I8"
    case u64 = "U64"
    case u32 = "U32"
    case u16 = "U16"
    case u8 = "U8"
    case bool = "BOOL"

    /// Bytes of one element.
    package var size: Int {
        switch self {
        case .f64, .i64, .u64: 8
        case .f32, .i32, .u32: 4
        case .f16, .bf16, .i16, .u16: 2
        case .f8E4M3, .f8E5M2, .i8, .u8, .bool: 1
        }
    }

    /// Whether a model may use elements of this type as weights: F32, F16 and BF16.
    package var isWeight: Bool { self == .f32 || self == .f16 || self == .bf16 }

    /// The name a safetensors header uses, such as `BF16`.
    package var description: String { rawValue }
}
