import PosedTesting
import Testing

/// The backend `cpu` chooses its kernels by the processor's instruction set; those of every set that this machine
/// can run, or imitate, pass the conformance suite.
@Suite(.serialized) struct InstructionSetTests {
    /// The names of POSED_ISA but for the best one, which other tests run.
    private static let sets = [
        "amx-emulated", "avx512-bf16", "avx512-vnni", "avx512", "avx2", "baseline",
    ]

    @Test(arguments: sets)
    func everySetConforms(name: String) async throws {
        let outcome = try await PosekitProcess.run(
            ["backends", "test", "cpu"], environment: ["POSED_ISA": name])
        if outcome.errors.contains("which this machine cannot run") { return }
        #expect(
            outcome.status == 0,
            "\(name): \(String(decoding: outcome.output, as: UTF8.self))\(outcome.errors)")
        #expect(String(decoding: outcome.output, as: UTF8.self).contains(" 0 failed"))
    }

    @Test func everyMachineRunsTheBaseline() async throws {
        let outcome = try await PosekitProcess.run(
            ["backends", "test", "cpu", "--filter", "copy"],
            environment: ["POSED_ISA": "baseline"])
        #expect(
            outcome.status == 0,
            "\(String(decoding: outcome.output, as: UTF8.self))\(outcome.errors)")
    }

    @Test func anUnknownSetIsRefused() async throws {
        let outcome = try await PosekitProcess.run(
            ["backends", "test", "cpu"], environment: ["POSED_ISA": "fastest"])
        #expect(outcome.status != 0)
        #expect(outcome.errors.contains("POSED_ISA is \"fastest\"; expected one of"))
    }

    @Test func theFormerNameStillWorks() async throws {
        let outcome = try await PosekitProcess.run(
            ["backends", "test", "onednn", "--filter", "copy"])
        #expect(outcome.status == 0)
        #expect(
            outcome.errors == "Warning: the backend onednn is called cpu now, and cpu is used.\n")
    }
}
