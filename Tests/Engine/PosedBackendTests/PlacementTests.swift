import PosedBackend
import Testing

@Suite struct PlacementTests {
    @Test func oneNamePlacesAllParts() throws {
        let placement = try Placement(parsing: "cpu")
        for part in Placement.Part.allCases {
            #expect(placement[part] == BackendSelection(plugin: "cpu"))
        }
        #expect("\(placement)" == "cpu")
    }

    @Test func partsArePlacedOneByOne() throws {
        let placement = try Placement(parsing: "vae=blas,transformer=cuda:1")
        #expect(placement[.vae] == BackendSelection(plugin: "blas"))
        #expect(placement[.transformer] == BackendSelection(plugin: "cuda", index: 1))
        #expect(placement[.sourceEncoder] == .automatic)
        #expect("\(placement)" == "vae=blas,encoders=auto,transformer=cuda:1")
        #expect(try Placement(parsing: "\(placement)") == placement)
    }

    @Test func encodersArePlacedTogetherOrApart() throws {
        let both = try Placement(parsing: "blas,encoders=cpu")
        #expect(both[.sourceEncoder] == both[.poseEncoder] && both[.vae].plugin == "blas")
        #expect("\(both)" == "vae=blas,encoders=cpu,transformer=blas")
        let apart = try Placement(parsing: "blas,source_encoder=cuda:1")
        #expect(apart[.sourceEncoder] == BackendSelection(plugin: "cuda", index: 1))
        #expect(apart[.poseEncoder] == BackendSelection(plugin: "blas"))
        #expect("\(apart)" == "vae=blas,source_encoder=cuda:1,pose_encoder=blas,transformer=blas")
        #expect(try Placement(parsing: "\(apart)") == apart)
        let error = #expect(throws: BackendError.self) {
            try Placement(parsing: "encoders=blas,pose_encoder=cuda")
        }
        #expect(error?.message.contains("pose_encoder is named twice") == true)
    }

    @Test func aNameAlonePlacesTheRest() throws {
        let placement = try Placement(parsing: "cpu,vae=blas")
        #expect(placement[.vae] == BackendSelection(plugin: "blas"))
        #expect(placement[.sourceEncoder] == BackendSelection(plugin: "cpu"))
    }

    @Test(arguments: [
        "", "vae=", "=blas", "vae=blas,", "blas,cpu", "vae=blas,vae=cpu", "decoder=blas",
        "vae=blas=cpu",
    ])
    func nonsenseIsRefused(text: String) {
        let error = #expect(throws: BackendError.self) { try Placement(parsing: text) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func copiesHavePlacesOfTheirOwn() throws {
        let copies = try Placement.copies(parsing: "cuda:0+cuda:1,vae=blas")
        #expect(
            copies.map(\.description) == [
                "cuda", "vae=blas,encoders=cuda:1,transformer=cuda:1",
            ])
        #expect(try Placement.copies(parsing: "auto") == [Placement()])
        for text in ["", "blas+", "+", "blas++blas"] {
            #expect(throws: BackendError.self) { try Placement.copies(parsing: text) }
        }
    }
}
