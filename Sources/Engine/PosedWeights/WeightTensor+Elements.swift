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
