import CPosedBackend
import PosedBackend
import Testing

@Suite struct BackendErrorTests {
    @Test(arguments: [
        (POSED_INVALID_ARGUMENT, BackendError.Code.invalidArgument),
        (POSED_UNSUPPORTED, .unsupported), (POSED_OUT_OF_MEMORY, .outOfMemory),
        (POSED_DEVICE_LOST, .deviceLost), (POSED_INTERNAL, .internal),
        (posed_status(rawValue: 77), .internal),
    ])
    func statusBecomesCode(status: posed_status, code: BackendError.Code) {
        #expect(BackendError.Code(status) == code)
    }

    @Test func checkThrowsTheMessage() {
        let error = #expect(throws: BackendError.self) {
            try BackendError.check("opening") { error in
                withUnsafeMutableBytes(of: &error.pointee.message) { bytes in
                    bytes.copyBytes(from: Array("no room".utf8) + [0])
                }
                return POSED_OUT_OF_MEMORY
            }
        }
        #expect(error?.code == .outOfMemory)
        #expect(error?.message == "opening: no room")
    }

    @Test func checkNamesAStatusWithoutMessage() {
        let error = #expect(throws: BackendError.self) {
            try BackendError.check("opening") { _ in POSED_INTERNAL }
        }
        #expect(error?.message == "opening: status 5, and no message")
    }

    @Test func unterminatedMessageIsCutAtItsEnd() {
        var error = posed_error()
        withUnsafeMutableBytes(of: &error.message) { bytes in
            for index in bytes.indices { bytes[index] = UInt8(ascii: "x") }
        }
        #expect(error.text == String(repeating: "x", count: Int(POSED_MAX_MESSAGE)))
    }

    @Test func descriptionTellsTheCause() {
        let cause = BackendError(.notFound, "no file")
        #expect("\(BackendError(.internal, "no device", cause: cause))" == "no device (no file)")
    }
}
