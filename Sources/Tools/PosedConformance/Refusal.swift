import CPosedBackend
import PosedBackend

/// A way to break the rules of a descriptor.
struct Breach<Descriptor>: Sendable {
    /// What is wrong, for the case's name.
    let name: String
    /// Makes it wrong.
    let apply: @Sendable (inout Descriptor) -> Void

    init(_ name: String, _ apply: @escaping @Sendable (inout Descriptor) -> Void) {
        self.name = name
        self.apply = apply
    }
}

/// A valid descriptor, to be broken in one place at a time.
struct ValidCall<Descriptor> {
    var descriptor: Descriptor
    /// What the call would write, and must not when it is refused.
    var result: DeviceTensor
}

/// One operation and the ways to break its descriptor.
struct RefusalTable<Descriptor> {
    typealias TensorPath = any WritableKeyPath<Descriptor, posed_tensor> & Sendable

    /// The operation's name.
    var name: String
    /// Makes a valid descriptor.
    var valid: @Sendable (Bench) throws -> ValidCall<Descriptor>
    /// Makes the operation of a descriptor.
    var operation: @Sendable (Descriptor) -> Operation
    /// The tensors that must be there, and their names.
    var required: [(String, TensorPath)]
    /// Whether the innermost stride is free.
    var freeStrides = false
    /// What else can be wrong.
    var breaches: [Breach<Descriptor>]

    /// One case per breach, and one that the untouched descriptor is served.
    func cases() -> [ConformanceCase] {
        let (valid, operation, name) = (self.valid, self.operation, self.name)
        let served = ConformanceCase("refuse \(name): nothing when all is well") { bench in
            try bench.run(operation(try valid(bench).descriptor))
            try bench.synchronize()
            return 0
        }
        let tensors = required.flatMap { label, path in
            tensorBreaches.map { breach in
                Breach<Descriptor>("\(label) \(breach.name)") { breach.apply(&$0[keyPath: path]) }
            }
        }
        return [served]
            + (tensors + breaches).map { breach in
                ConformanceCase("refuse \(name): \(breach.name)") { bench in
                    var call = try valid(bench)
                    let before = try bench.bytes(call.result)
                    breach.apply(&call.descriptor)
                    let broken = operation(call.descriptor)
                    try expectRefusal("it") { broken.submit(bench.plugin.table, bench.stream, $0) }
                    try expect(try bench.bytes(call.result) == before, "it was refused and wrote")
                    return 0
                }
            }
    }

    /// What can be wrong with any tensor.
    private var tensorBreaches: [Breach<posed_tensor>] {
        let common = [
            Breach<posed_tensor>("is missing") { $0.buffer = nil },
            Breach("has rank 0") { $0.rank = 0 },
            Breach("has rank 7") { $0.rank = 7 },
            Breach("has rank 1000000") { $0.rank = 1_000_000 },
            Breach("has another rank") { $0.rank -= 1 },
            Breach("has an unknown type") { $0.dtype = 99 },
            Breach("has type 0") { $0.dtype = 0 },
            Breach("starts behind its buffer") { $0.offset_bytes = 1 << 30 },
            Breach("starts at the end of the address space") { $0.offset_bytes = .max - 3 },
            Breach("reaches beyond its buffer") { $0.stride.0 = 1 << 20 },
            Breach("reaches beyond the address space") { $0.stride.0 = .max / 2 },
            Breach("has a stride that overflows") { $0.stride.0 = .max },
            Breach("has a negative stride") { $0.stride.0 = -64 },
            Breach("has a negative extent") { $0.shape.0 = -1 },
            Breach("has a huge extent") { $0.shape.0 = 1 << 40 },
            Breach("has an extent that overflows") { $0.shape.0 = .max },
        ]
        let spread = Breach<posed_tensor>("has gaps between neighbours") { tensor in
            set(&tensor.stride, Int(tensor.rank) - 1, Int64(2))
        }
        return freeStrides ? common : common + [spread]
    }
}

extension Bench {
    /// A dense tensor of small numbers in a buffer that is twice as large as it need be, so that a
    /// wrong stride does not end outside.
    func roomy(_ shape: [Int], _ type: ElementType = .f32) throws -> DeviceTensor {
        var noise = Noise("roomy \(shape)")
        let count = shape.reduce(1, *)
        let wide = try output(.dense([2 * count]), type)
        try write(noise.normal(2 * count, type == .u8 ? .u8 : type).map { abs($0) }, to: wide)
        return DeviceTensor(buffer: wide.buffer, layout: .dense(shape), type: type)
    }
}
