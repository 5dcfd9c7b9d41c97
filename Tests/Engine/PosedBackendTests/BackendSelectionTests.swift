import PosedBackend
import Testing

@Suite struct BackendSelectionTests {
    @Test func readsNamesAndIndices() throws {
        #expect(try BackendSelection(parsing: "auto") == .automatic)
        #expect(try BackendSelection(parsing: "blas") == BackendSelection(plugin: "blas"))
        #expect(
            try BackendSelection(parsing: "cuda:1") == BackendSelection(plugin: "cuda", index: 1))
    }

    /// Configurations of earlier versions name it.
    @Test func theFormerNameOfCPUStillWorks() throws {
        #expect(try BackendSelection(parsing: "onednn") == BackendSelection(plugin: "cpu"))
        #expect(try BackendSelection(parsing: "onednn:0").description == "cpu")
    }

    @Test(arguments: ["auto", "blas", "cuda:1"])
    func descriptionIsReadBack(text: String) throws {
        #expect(try BackendSelection(parsing: text).description == text)
    }

    @Test(arguments: [
        "", ":", ":1", "cuda:", "cuda:x", "cuda:-1", "cuda:1:2", "auto:1", "../blas", "a b",
        "cuda:99999999999", "cuda:9999999999999999999999",
    ])
    func nonsenseIsRefused(text: String) {
        let error = #expect(throws: BackendError.self) { try BackendSelection(parsing: text) }
        #expect(error?.code == .invalidArgument)
    }
}
