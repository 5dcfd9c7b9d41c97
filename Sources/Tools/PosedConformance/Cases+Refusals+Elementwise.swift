import CPosedBackend
import PosedBackend

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
