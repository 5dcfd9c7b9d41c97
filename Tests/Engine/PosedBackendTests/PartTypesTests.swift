import PosedBackend
import Testing

@Suite struct PartTypesTests {
    @Test func oneTypeIsForAllParts() throws {
        let types = try PartTypes(parsing: "i8")
        #expect(Placement.Part.allCases.allSatisfy { types[$0] == .i8 })
        #expect("\(types)" == "i8")
        #expect(types == PartTypes(.i8))
    }

    @Test func partsHaveTypesOfTheirOwn() throws {
        let types = try PartTypes(parsing: "i8,encoders=bf16,vae=auto")
        #expect(types[.transformer] == .i8 && types[.poseEncoder] == .bf16 && types[.vae] == nil)
        #expect("\(types)" == "vae=auto,encoders=bf16,transformer=i8")
        #expect(try PartTypes(parsing: "\(types)") == types)
    }

    @Test func whatIsNotSaidIsTheDevices() throws {
        let types = try PartTypes(parsing: "transformer=i8")
        #expect(types[.vae] == nil && types[.sourceEncoder] == nil && types[.transformer] == .i8)
        #expect(try PartTypes(parsing: "auto") == PartTypes())
    }

    @Test(arguments: [
        ("", "no type \"\""), ("f64", "expected one of auto, f32, bf16, f16, i8"),
        ("u8", "no type"),
        ("i8,bf16", "two types are named without a part"), ("vae=i8,vae=f32", "vae is named twice"),
        ("decoder=i8", "no part \"decoder\""), ("vae=", "no type \"\""),
    ])
    func nonsenseIsRefused(text: String, message: String) {
        let error = #expect(throws: BackendError.self) { try PartTypes(parsing: text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(message) == true, "\(error.map(\.message) ?? "")")
    }
}
