import CPosedBackend

/// The type of a tensor's elements, on a device or in a file.
package enum DType: UInt32, Sendable, CaseIterable {
    case f32 = 1
    case f16 = 2
    case bf16 = 3
    case u8 = 4
    /// Of products alone, whose operands are rounded to 8 bits row by row; no tensor has it.
    case i8 = 5

    /// Bytes of one element.
    package var size: Int {
        switch self {
        case .f32: 4
        case .f16, .bf16: 2
        case .u8, .i8: 1
        }
    }

    /// "f32", as command line and reports write it.
    package var name: String {
        switch self {
        case .f32: "f32"
        case .f16: "f16"
        case .bf16: "bf16"
        case .u8: "u8"
        case .i8: "i8"
        }
    }

    /// The type of that name, or nil.
    package init?(name: String) {
        guard let type = DType.allCases.first(where: { $0.name == name }) else { return nil }
        self = type
    }
}

/// What a device says of itself.
package struct DeviceInfo: Sendable, Equatable {
    /// For people: "AMD EPYC, 2 threads".
    package let name: String
    /// The class of its results: equal strings on equal inputs promise equal bits.
    package let numerics: String
    /// Threads that compute.
    package let threads: Int
    /// Types in which it multiplies; `i8` is of `linear` alone.
    package let dtypes: Set<DType>
    /// The fastest of them that these models tolerate.
    package let preferred: DType
    /// Device memory in bytes; 0 when it is not known.
    package let memoryTotal: UInt64
    /// Device memory in use, in bytes.
    package let memoryUsed: UInt64
    /// Whether buffers can be addressed by the host.
    package let isHostVisible: Bool

    init(_ native: posed_device_info) {
        var native = native
        name = withUnsafeBytes(of: &native.name) { String(zeroTerminated: $0) }
        numerics = withUnsafeBytes(of: &native.numerics) { String(zeroTerminated: $0) }
        threads = Int(native.threads)
        let bits = native.dtypes
        dtypes = Set(DType.allCases.filter { bits & (1 << $0.rawValue) != 0 })
        preferred = DType(rawValue: native.preferred) ?? .f32
        memoryTotal = native.memory_total
        memoryUsed = native.memory_used
        isHostVisible = native.host_visible != 0
    }
}

extension String {
    /// The text in a C array of characters, up to its first zero.
    init(zeroTerminated bytes: UnsafeRawBufferPointer) {
        self = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
