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
    func roomy(_ shape: [Int], _ type: DType = .f32) throws -> DeviceTensor {
        var noise = Noise("roomy \(shape)")
        let count = shape.reduce(1, *)
        let wide = try output(.dense([2 * count]), type)
        try write(noise.normal(2 * count, type == .u8 ? .u8 : type).map { abs($0) }, to: wide)
        return DeviceTensor(buffer: wide.buffer, layout: .dense(shape), type: type)
    }
}

extension ConformanceSuite {
    static var refusalCases: [ConformanceCase] {
        linearRefusals.cases() + conv2dRefusals.cases() + groupNormRefusals.cases()
            + layerNormRefusals.cases() + attentionRefusals.cases() + copyRefusals.cases()
            + combineRefusals.cases() + activateRefusals.cases() + gluRefusals.cases()
            + quantizeRefusals.cases() + weightRefusals
    }

    private static var linearRefusals: RefusalTable<posed_linear_desc> {
        RefusalTable(
            name: "linear",
            valid: { bench in
                var desc = posed_linear_desc()
                let y = try bench.roomy([2, 5, 24])
                desc.x = try bench.roomy([2, 5, 32]).view
                desc.weight = try bench.matrix(24, 32)
                desc.gate = try bench.roomy([2, 24]).view
                desc.residual = try bench.roomy([2, 5, 24]).view
                desc.y = y.view
                return ValidCall(descriptor: desc, result: y)
            },
            operation: { .linear($0) }, required: [("x", \.x), ("y", \.y)],
            breaches: [
                Breach("no weight") { $0.weight = nil },
                Breach("an unknown activation") { $0.activation = 6 },
                Breach("x with too many features") { $0.x.shape.2 = 33 },
                Breach("y with too few features") { $0.y.shape.2 = 23 },
                Breach("y with fewer tokens than x") { $0.y.shape.1 = 4 },
                Breach("y with fewer rows than x") { $0.y.shape.0 = 1 },
                Breach("a gate of another width") { $0.gate.shape.1 = 23 },
                Breach("a gate of another batch") { $0.gate.shape.0 = 1 },
                Breach("a gate outside of its buffer") { $0.gate.offset_bytes = 1 << 40 },
                Breach("a residual of another shape") { $0.residual.shape.1 = 4 },
                Breach("a residual outside of its buffer") { $0.residual.stride.0 = 1 << 30 },
            ])
    }

    private static var conv2dRefusals: RefusalTable<posed_conv2d_desc> {
        RefusalTable(
            name: "conv2d",
            valid: { bench in
                var desc = posed_conv2d_desc()
                let y = try bench.roomy([2, 6, 5, 24])
                desc.x = try bench.roomy([2, 6, 5, 16]).view
                desc.weight = try bench.smallFilter(24, 16)
                desc.residual = try bench.roomy([2, 6, 5, 24]).view
                desc.y = y.view
                return ValidCall(descriptor: desc, result: y)
            },
            operation: { .conv2d($0) }, required: [("x", \.x), ("y", \.y)],
            breaches: [
                Breach("no weight") { $0.weight = nil },
                Breach("an unknown activation") { $0.activation = .max },
                Breach("x with too few channels") { $0.x.shape.3 = 15 },
                Breach("y with too few channels") { $0.y.shape.3 = 23 },
                Breach("y of another height") { $0.y.shape.1 = 5 },
                Breach("a residual of another width") { $0.residual.shape.2 = 4 },
                Breach("an x with gaps") { $0.x.stride.1 += 16 },
            ])
    }

    private static var groupNormRefusals: RefusalTable<posed_group_norm_desc> {
        RefusalTable(
            name: "group norm",
            valid: { bench in
                var desc = posed_group_norm_desc()
                let y = try bench.roomy([2, 3, 4, 24])
                desc.x = try bench.roomy([2, 3, 4, 24]).view
                desc.gamma = try bench.roomy([24]).view
                desc.beta = try bench.roomy([24]).view
                (desc.y, desc.groups, desc.eps) = (y.view, 8, 1e-6)
                return ValidCall(descriptor: desc, result: y)
            },
            operation: { .groupNorm($0) }, required: [("x", \.x), ("y", \.y)],
            breaches: [
                Breach("no group") { $0.groups = 0 },
                Breach("a negative number of groups") { $0.groups = -8 },
                Breach("groups of unequal width") { $0.groups = 7 },
                Breach("more groups than channels") { $0.groups = 48 },
                Breach("an unknown activation") { $0.activation = 77 },
                Breach("no gamma") { $0.gamma.buffer = nil },
                Breach("a short beta") { $0.beta.shape.0 = 23 },
                Breach("y of another height") { $0.y.shape.1 = 2 },
            ])
    }

    private static var layerNormRefusals: RefusalTable<posed_layer_norm_desc> {
        RefusalTable(
            name: "layer norm",
            valid: { bench in
                var desc = posed_layer_norm_desc()
                let y = try bench.roomy([2, 5, 24])
                desc.x = try bench.roomy([2, 5, 24]).view
                desc.scale = try bench.roomy([2, 24]).view
                desc.shift = try bench.roomy([2, 24]).view
                (desc.y, desc.eps) = (y.view, 1e-6)
                return ValidCall(descriptor: desc, result: y)
            },
            operation: { .layerNorm($0) }, required: [("x", \.x), ("y", \.y)],
            breaches: [
                Breach("a scale without a shift") { $0.shift.buffer = nil },
                Breach("a shift without a scale") { $0.scale.buffer = nil },
                Breach("a scale of another width") { $0.scale.shape.1 = 23 },
                Breach("a shift of another batch") { $0.shift.shape.0 = 1 },
                Breach("y with fewer tokens than x") { $0.y.shape.1 = 4 },
            ])
    }

    private static var attentionRefusals: RefusalTable<posed_attention_desc> {
        RefusalTable(
            name: "attention",
            valid: { bench in
                var desc = posed_attention_desc()
                let y = try bench.roomy([2, 6, 2, 32])
                desc.q = try bench.roomy([2, 6, 2, 32]).view
                desc.k = try bench.roomy([2, 7, 2, 32]).view
                desc.v = try bench.roomy([2, 7, 2, 32]).view
                desc.bias = try bench.roomy([2, 6, 7]).view
                (desc.y, desc.scale) = (y.view, 0.2)
                return ValidCall(descriptor: desc, result: y)
            },
            operation: { .attention($0, cached: []) },
            required: [("q", \.q), ("k", \.k), ("v", \.v), ("y", \.y)],
            breaches: [
                Breach("k and v of different lengths") { $0.v.shape.1 = 6 },
                Breach("k with other heads than q") { $0.k.shape.2 = 1 },
                Breach("heads of another size") { $0.v.shape.3 = 16 },
                Breach("y with fewer tokens than q") { $0.y.shape.1 = 5 },
                Breach("k of another type than q") { $0.k.dtype = POSED_U8.rawValue },
                Breach("a bias for fewer keys") { $0.bias.shape.2 = 6 },
                Breach("a bias for fewer heads") { $0.bias.shape.0 = 1 },
                Breach("a bias outside of its buffer") { $0.bias.stride.0 = 1 << 30 },
                Breach("a bias of a type that it never has") { $0.bias.dtype = POSED_U8.rawValue },
            ])
    }
}

extension ConformanceSuite {
    static var copyRefusals: RefusalTable<posed_copy_desc> {
        RefusalTable(
            name: "copy",
            valid: { bench in
                var desc = posed_copy_desc()
                let y = try bench.roomy([3, 4, 5])
                (desc.x, desc.y) = (try bench.roomy([3, 4, 5]).view, y.view)
                return ValidCall(descriptor: desc, result: y)
            },
            operation: { .copy($0) }, required: [("x", \.x), ("y", \.y)], freeStrides: true,
            breaches: [
                Breach("x and y of different shapes") { $0.y.shape.1 = 3 },
                Breach("an innermost stride that leaves the buffer") { $0.x.stride.2 = 1 << 20 },
            ])
    }

    static var combineRefusals: RefusalTable<posed_combine_desc> {
        RefusalTable(
            name: "combine",
            valid: { bench in
                var desc = posed_combine_desc()
                let y = try bench.roomy([3, 4, 5])
                desc.count = 2
                set(&desc.x, 0, try bench.roomy([3, 4, 5]).view)
                set(&desc.x, 1, try bench.roomy([3, 4, 5]).view)
                set(&desc.coefficient, 0, Float(1))
                set(&desc.coefficient, 1, Float(2))
                desc.y = y.view
                return ValidCall(descriptor: desc, result: y)
            },
            operation: { .combine($0) }, required: [("x", \.x.0), ("y", \.y)],
            breaches: [
                Breach("no term") { $0.count = 0 },
                Breach("too many terms") { $0.count = UInt32(POSED_MAX_TERMS) + 1 },
                Breach("a huge number of terms") { $0.count = .max },
                Breach("a term that is missing") { $0.count = 3 },
                Breach("a term of another shape") { $0.x.1.shape.1 = 3 },
                Breach("a term with gaps") { $0.x.1.stride.0 = 21 },
            ])
    }

    static var activateRefusals: RefusalTable<posed_activate_desc> {
        RefusalTable(
            name: "activate",
            valid: { bench in
                var desc = posed_activate_desc()
                let y = try bench.roomy([3, 20])
                (desc.x, desc.y) = (try bench.roomy([3, 20]).view, y.view)
                return ValidCall(descriptor: desc, result: y)
            },
            operation: { .activate($0) }, required: [("x", \.x), ("y", \.y)],
            breaches: [
                Breach("an unknown activation") { $0.activation = 1000 },
                Breach("x and y of different shapes") { $0.y.shape.1 = 19 },
            ])
    }

    static var gluRefusals: RefusalTable<posed_glu_desc> {
        RefusalTable(
            name: "glu",
            valid: { bench in
                var desc = posed_glu_desc()
                let y = try bench.roomy([2, 3, 20])
                (desc.x, desc.y) = (try bench.roomy([2, 3, 40]).view, y.view)
                return ValidCall(descriptor: desc, result: y)
            },
            operation: { .glu($0) }, required: [("x", \.x), ("y", \.y)],
            breaches: [
                Breach("an unknown activation") { $0.activation = 1000 },
                Breach("x of an odd width") { $0.x.shape.2 = 39 },
                Breach("x of y's width") { $0.x.shape.2 = 20 },
                Breach("y with fewer tokens than x") { $0.y.shape.1 = 2 },
            ])
    }

    static var quantizeRefusals: RefusalTable<posed_quantize_desc> {
        RefusalTable(
            name: "quantize",
            valid: { bench in
                var desc = posed_quantize_desc()
                let y = try bench.roomy([2, 3, 4, 20], .u8)
                (desc.x, desc.y) = (try bench.roomy([2, 3, 4, 20]).view, y.view)
                return ValidCall(descriptor: desc, result: y)
            },
            operation: { .quantize($0) }, required: [("x", \.x), ("y", \.y)],
            breaches: [
                Breach("y of a float type") { $0.y.dtype = POSED_F32.rawValue },
                Breach("x of bytes") { $0.x.dtype = POSED_U8.rawValue },
                Breach("x and y of different shapes") { $0.y.shape.2 = 3 },
            ])
    }
}
