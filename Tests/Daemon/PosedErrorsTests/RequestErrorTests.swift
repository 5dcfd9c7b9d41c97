import Testing

import PosedErrors

@Suite struct RequestErrorTests {
    @Test func theDescriptionNamesTheField() {
        let path = FieldPath("sources")[2].field("png")
        #expect(path.description == "sources[2].png")
        let error = path.refusal(expected: "a PNG", got: "3 bytes")
        #expect(error.code == .invalidArgument)
        #expect(error.field == path)
        #expect(error.description == "sources[2].png: expected a PNG, got 3 bytes")
        #expect(error.message == "expected a PNG, got 3 bytes")
        #expect(RequestError(.unavailable, "draining").description == "draining")
    }

    @Test func codesAreTheNumbersOfTheWire() {
        #expect(RequestError.Code.resourceExhausted.rawValue == 8)
        #expect(RequestError.Code.unauthenticated.rawValue == 16)
        #expect(!RequestError.Code.allCases.contains { $0.rawValue == 0 })
    }

    @Test func theCalleesFieldsAreRenamed() {
        let names: KeyValuePairs<FieldPath, FieldPath> = [
            "settings": "start.settings", "session": "start.session",
        ]
        let renamed = { (path: FieldPath) in
            RequestError(.invalidArgument, "no", at: path).renamed(names).field?.description
        }
        #expect(renamed("settings.nfe") == "start.settings.nfe")
        #expect(renamed("session") == "start.session")
        #expect(renamed("settings[1]") == "start.settings[1]")
        #expect(renamed("sessions") == "sessions")
        #expect(renamed("pose") == "pose")
        #expect(RequestError(.internal, "no").renamed(names).field == nil)
    }

    @Test func renamingPassesOtherErrorsThrough() async {
        struct Other: Error {}
        await #expect(throws: Other.self) {
            try await RequestError.renaming(["a": "b"]) { throw Other() }
        }
    }

    @Test func numbersOutOfBoundsAreRefused() throws {
        let path = FieldPath("nfe")
        #expect(try path.checked(Int32(3), in: 1...3) == 3)
        #expect(try path.checked(0.5, in: 0...1) == 0.5)
        let error = #expect(throws: RequestError.self) { try path.checked(Int32(4), in: 1...3) }
        #expect(error?.description == "nfe: expected a number from 1 to 3, got 4")
        let real = #expect(throws: RequestError.self) { try path.checked(Double.nan, in: 0...1.5) }
        #expect(real?.description == "nfe: expected a number from 0 to 1.5, got nan")
    }
}
