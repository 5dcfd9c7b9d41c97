import Foundation
import Testing

/// The `blas` backend multiplies with the kernels of the processor's instruction set, or with
/// OpenBLAS; every choice passes the conformance suite.
@Suite(.serialized) struct ProductChoiceTests {
    private static let choices: [[String: String]] = [
        ["POSED_ISA": "avx2", "POSED_BLAS_PRODUCT": "own"],
        ["POSED_ISA": "baseline", "POSED_BLAS_PRODUCT": "own"],
        ["POSED_BLAS_PRODUCT": "openblas"],
    ]

    private static func test(
        _ environment: [String: String]
    ) throws -> (status: Int32, output: String, errors: String) {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: own).deletingLastPathComponent()
            .appendingPathComponent("posekit")
        process.arguments = ["backends", "test", "blas"]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        try process.run()
        let report = output.fileHandleForReading.readDataToEndOfFile()
        let sentence = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: report, as: UTF8.self),
            String(decoding: sentence, as: UTF8.self)
        )
    }

    @Test(arguments: choices)
    func everyChoiceConforms(environment: [String: String]) throws {
        let outcome = try Self.test(environment)
        if outcome.errors.contains("OpenBLAS could not be loaded") { return }
        #expect(outcome.status == 0, "\(environment): \(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains(" 0 failed"))
    }

    @Test func unknownChoiceIsRefused() throws {
        let outcome = try Self.test(["POSED_BLAS_PRODUCT": "fastest"])
        #expect(outcome.status != 0)
        #expect(outcome.errors.contains("POSED_BLAS_PRODUCT is \"fastest\""))
    }
}
