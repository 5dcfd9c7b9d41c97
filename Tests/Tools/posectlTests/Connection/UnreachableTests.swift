import Foundation
import PosedRPC
import Testing

import posectl

@Suite struct UnreachableTests {
    @Test func aMissingSocketIsNamedAndHowToStartTheDaemon() {
        let error = Unreachable(.unix(path: "/nowhere/posed.sock")).error
        #expect(error.code == .unreachable)
        #expect(error.code.exitStatus == 3)
        #expect(error.message.contains("there is no socket /nowhere/posed.sock"))
        #expect(error.message.contains("systemctl start posed"))
    }

    @Test func aSocketThatNobodyListensAtIsNamedToo() throws {
        let path = NSTemporaryDirectory() + "posectl-\(UInt64.random(in: 0...UInt64.max)).sock"
        try Data().write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let error = Unreachable(.unix(path: path)).error
        #expect(error.message.contains("does not answer at \(path)"))
        #expect(Unreachable(.unix(path: path)).isCertain)
        #expect(Unreachable(.unix(path: path + "/" + String(repeating: "x", count: 200))).isCertain)
        #expect(!Unreachable(.tcp(host: "localhost", port: 1)).isCertain)
    }

    @Test func otherMachinesAreAnotherStory() {
        let error = Unreachable(.tcp(host: "::1", port: 5)).error
        #expect(error.message.contains("nothing answers at [::1]:5"))
    }

    @Test func statusesSayWhatToDo() throws {
        var metadata = Metadata()
        try metadata.add("x-request-id", "abc")
        let told = { (code: StatusCode) in
            PosectlError(RPCError(code, "so it is", metadata: metadata)).message
        }
        #expect(told(.notFound) == "NOT_FOUND: so it is")
        #expect(told(.unauthenticated).contains("--token-file"))
        let sent = PosectlError(RPCError(.unauthenticated, "no"), hasToken: true)
        #expect(!sent.message.contains("--token-file"))
        #expect(told(.deadlineExceeded).contains("--timeout"))
        #expect(told(.internal) == "INTERNAL: so it is (request abc)")
        #expect(PosectlError(RPCError(.notFound, "a\u{1B}b")).message == "NOT_FOUND: a b")
        #expect(PosectlError(CancellationError()).code.exitStatus == 1)
    }
}
