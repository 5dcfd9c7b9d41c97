import Foundation
import PosedTesting
import Testing

/// What the emulated device is worth: the conformance suite fails whichever barrier, or wait for copies or
/// products, is taken out of a kernel.
@Suite struct SpoiledKernelTests {
    /// A change of a kernel's text, and the cases that must notice it.
    struct Defect: CustomStringConvertible {
        let file: String
        let occurrence: Int
        let old: String
        var new = ";"
        let cases: String
        var environment: [String: String] = [:]

        var description: String { "\(file), \(old) number \(occurrence)" }
    }

    /// A barrier taken out, for each of those in a file.
    private static func barriers(
        _ file: String, _ occurrences: ClosedRange<Int>, _ cases: String,
        _ environment: [String: String] = [:]
    ) -> [Defect] {
        occurrences.map {
            Defect(
                file: file, occurrence: $0, old: "synchronize();", cases: cases,
                environment: environment)
        }
    }

    /// A wait that lets one more group go on, for each of those in a file.
    private static func waits(
        _ file: String, _ waits: [(old: String, new: String)], _ cases: String,
        _ environment: [String: String] = [:]
    ) -> [Defect] {
        waits.map {
            Defect(
                file: file, occurrence: 1, old: $0.old, new: $0.new, cases: cases,
                environment: environment)
        }
    }

    private static let own = ["POSED_CUDA_PRODUCT": "own"]
    private static let product = "linear bf16·bf16→bf16 b1 t257 k384 n384"
    private static let narrow = "attention bf16 b1 q257"
    private static let wide = "attention bf16 b1 q70 k75"
    private static let floats = "attention f32 b1 q257"

    static let defects: [Defect] = [
        barriers("product.cuh", 2...4, product, own),
        waits(
            "product.cuh", [("copy_async_wait<ahead - 1>()", "copy_async_wait<ahead>()")], product,
            own),
        barriers("attention.cu", 1...2, narrow),
        waits("attention.cu", [("copy_async_wait<1>()", "copy_async_wait<2>()")], narrow),
        barriers("attention_f32.cu", 1...4, floats),
        barriers("attention_wide.cu", 1...5, wide),
        waits(
            "attention_wide.cu",
            [
                ("copy_async_wait<1>()", "copy_async_wait<2>()"),
                ("copy_async_wait<0>()", "copy_async_wait<1>()"),
            ], wide),
        barriers("group_norm.cu", 1...4, "group norm f32→f32 [2, 33, 31, 96]"),
        barriers("layer_norm.cu", 1...2, "layer norm f32→f32 [2, 257, 33], plain"),
        barriers("copy.cu", 1...1, "copy f32→f32"),
    ].flatMap(\.self)

    /// In products by groups of warps, which are compared with those of single warps when a device is opened.
    static let defectsOfGroups: [Defect] = [
        barriers("product.cuh", 1...1, product),
        waits(
            "product.cuh",
            [
                ("wait_products<1>()", "wait_products<2>()"),
                ("wait_products<0>()", "wait_products<1>()"),
            ], product),
    ].flatMap(\.self)

    @Test(arguments: defects)
    func isNoticed(defect: Defect) async throws {
        let isNoticed = try await Self.anyOrder(defect) { $0.status != 0 }
        #expect(isNoticed)
    }

    @Test(arguments: defectsOfGroups)
    func isNoticedWhenADeviceIsOpened(defect: Defect) async throws {
        let isNoticed = try await Self.anyOrder(defect) { outcome in
            #expect(outcome.status == 0)  // single warps do without
            let numerics = try #require(try outcome.object["numerics"] as? String)
            return !numerics.contains("-groups")
        }
        #expect(isNoticed)
    }

    /// Whether a defect shows: some do only where threads go forwards, some only where they go backwards.
    private static func anyOrder(
        _ defect: Defect, _ shows: (BuiltProgram.Outcome) throws -> Bool
    ) async throws -> Bool {
        let change = "\(defect.file):\(defect.occurrence):\(defect.old):\(defect.new)"
        for order in ["", "backwards"] {
            let environment = ["POSED_STANDIN_EDIT": change, "POSED_STANDIN_ORDER": order]
                .merging(defect.environment) { $1 }
            let isNoticed = try await StandIn.with(StandIn.libraries, environment) { standIn in
                let (outcome, calls) = try await standIn.counted(
                    "posekit", ["backends", "test", "cuda", "--filter", defect.cases, "--json"])
                // A change that does not fit the text would be noticed, too.
                #expect((calls["spoiled \(defect.file)"] ?? 0) > 0)
                return try shows(outcome)
            }
            if isNoticed { return true }
        }
        return false
    }
}
