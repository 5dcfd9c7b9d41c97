import PosedErrors
import PosedProtos
import PosedServing
import Testing

import PosedService

@Suite struct SettingsDomainTests {
    private func read(_ change: (inout Posed_V1_SynthesisSettings) -> Void) throws -> FrameSettings
    {
        var settings = Posed_V1_SynthesisSettings()
        change(&settings)
        return try settings.settings(at: "settings", limits: ServingLimits())
    }

    @Test func nothingSaysNothing() throws {
        #expect(try read { _ in } == FrameSettings())
        #expect(Posed_V1_SynthesisSettings(FrameSettings()) == Posed_V1_SynthesisSettings())
    }

    @Test func everythingArrivesAndReturns() throws {
        var message = Posed_V1_SynthesisSettings()
        message.solver = "heun"
        message.nfe = 16
        message.guidanceScale = 1.5
        message.seed = .max
        message.timeShift = 2
        message.lastStepFirstOrder = false
        message.width = 512
        message.height = 256
        message.imageFormat = .rawRgb8
        message.minNfe = 4
        let settings = try message.settings(at: "settings", limits: ServingLimits())
        #expect(settings.solver == "heun")
        #expect(settings.evaluations == 16)
        #expect(settings.steps == nil)
        #expect(settings.guidance == 1.5)
        #expect(settings.seed == .max)
        #expect(settings.timeShift == 2)
        #expect(settings.lastStepFirstOrder == false)
        #expect(settings.width == 512)
        #expect(settings.height == 256)
        #expect(settings.format == .raw)
        #expect(settings.minimumEvaluations == 4)
        #expect(Posed_V1_SynthesisSettings(settings) == message)
    }

    @Test func stepsAreTheOtherBudget() throws {
        let settings = try read { $0.steps = 8 }
        #expect(settings.steps == 8)
        #expect(settings.evaluations == nil)
        #expect(Posed_V1_SynthesisSettings(settings).budget == .steps(8))
    }

    @Test func zeroThatWasSaidIsNotNothing() throws {
        #expect(try read { $0.guidanceScale = 0 }.guidance == 0)
        #expect(try read { $0.seed = 0 }.seed == 0)
    }

    @Test(arguments: [Int32.min, -1, 0, 201, .max])
    func evaluationsAreBounded(nfe: Int32) {
        expectRefusal("settings.nfe: expected a number from 1 to 200, got \(nfe)") {
            try read { $0.nfe = nfe }
        }
        expectRefusal("settings.steps: expected a number from 1 to 200, got \(nfe)") {
            try read { $0.steps = nfe }
        }
    }

    @Test func fewerEvaluationsThanTheBudgetOnly() throws {
        #expect(try read { _ in }.minimumEvaluations == nil)
        #expect(try read { $0.minNfe = 0 }.minimumEvaluations == 0)
        expectRefusal("settings.min_nfe: expected a number from 0 to 8, got 9") {
            try read {
                $0.nfe = 8
                $0.minNfe = 9
            }
        }
        expectRefusal("settings.min_nfe: expected a number from 0 to 200, got -1") {
            try read { $0.minNfe = -1 }
        }
    }

    @Test(arguments: [Double.nan, .infinity, -0.5, 100.5])
    func guidanceIsBounded(scale: Double) {
        expectRefusal("settings.guidance_scale: expected a number from 0 to 100, got \(scale)") {
            try read { $0.guidanceScale = scale }
        }
    }

    @Test(arguments: [Double.nan, 0, 0.001, 101])
    func timeShiftIsBounded(shift: Double) {
        expectRefusal("settings.time_shift: expected a number from 0.01 to 100, got \(shift)") {
            try read { $0.timeShift = shift }
        }
    }

    @Test func sizesAreBoundedAndComeTogether() {
        expectRefusal("settings.height: expected a number from 1 to 2048, got 0") {
            try read { $0.width = 256 }
        }
        expectRefusal("settings.width: expected a number from 1 to 2048, got -8") {
            try read { $0.width = -8 }
        }
        expectRefusal("settings.width: expected a number from 1 to 2048, got 2049") {
            try read {
                $0.width = 2049
                $0.height = 8
            }
        }
    }

    @Test func solversHaveNames() {
        expectRefusal("settings.solver: expected a name of 1 to 64 characters, got 0") {
            try read { $0.solver = "" }
        }
        expectRefusal("settings.solver: expected a name of 1 to 64 characters, got 65") {
            try read { $0.solver = String(repeating: "e", count: 65) }
        }
    }

    @Test func formats() throws {
        #expect(try read { $0.imageFormat = .png }.format == .png)
        #expect(try read { $0.imageFormat = .rawRgb8 }.format == .raw)
        #expect(try read { $0.imageFormat = .jpeg }.format == .jpeg(quality: 90))
        let small = try read {
            $0.imageFormat = .jpeg
            $0.jpegQuality = 40
        }
        #expect(small.format == .jpeg(quality: 40))
        #expect(Posed_V1_SynthesisSettings(small).jpegQuality == 40)
        #expect(PictureFormat(rawValue: "jpeg 40") == small.format)
        #expect(PictureFormat(rawValue: "jpeg 0") == nil)
        #expect(throws: (any Error).self) { try read { $0.jpegQuality = 40 } }
        #expect(throws: (any Error).self) {
            try read {
                $0.imageFormat = .jpeg
                $0.jpegQuality = 101
            }
        }
        expectRefusal("settings.image_format: expected a known format, got 7") {
            try read { $0.imageFormat = .UNRECOGNIZED(7) }
        }
    }
}
