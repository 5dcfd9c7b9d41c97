import CPosedBackend
import PosedBackend

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
