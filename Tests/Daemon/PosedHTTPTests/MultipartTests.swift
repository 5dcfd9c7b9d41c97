internal import Foundation
internal import PosedErrors
internal import PosedHTTP
internal import Testing

@Suite("A form of files")
struct MultipartTests {
    private let type = "multipart/form-data; boundary=\"b\""

    private func form(_ text: String) throws -> Multipart {
        try Multipart(Data(text.replacing("\n", with: "\r\n").utf8), contentType: type)
    }

    @Test("gives its parts by name, in their order, with the bytes that came")
    func parts() throws {
        let form = try self.form(
            """
            --b
            Content-Disposition: form-data; name="source"; filename="a; b.png"

            one
            --b
            content-disposition: form-data; name=pose

            --not a boundary
            --b
            Content-Disposition: form-data; name="source"

            two
            --b--

            """)
        #expect(form.all("source").map { String(decoding: $0, as: UTF8.self) } == ["one", "two"])
        #expect(form.all("pose") == [Data("--not a boundary".utf8)])
        #expect(form.all("settings").isEmpty)
    }

    @Test(
        "is refused where it is not what its type says",
        arguments: [
            "", "no boundary", "--b", "--b\nContent-Disposition: form-data; name=\"a\"\n\nno end",
            "--b\nContent-Disposition: form-data\n\nx\n--b--", "--b\nx\n--b--", "--bx\n--b--",
            String(repeating: "--b\nContent-Disposition: form-data; name=a\n\nx\n", count: 17)
                + "--b--",
        ])
    func broken(_ text: String) {
        #expect { try form(text) } throws: { ($0 as? RequestError)?.code == .invalidArgument }
    }

    @Test("needs a boundary in its type", arguments: ["", "multipart/form-data; boundary="])
    func boundary(_ type: String) {
        #expect(throws: RequestError.self) { try Multipart(Data("--b--".utf8), contentType: type) }
    }

    @Test("may have no other parts than those that are known")
    func names() throws {
        let form = try self.form("--b\nContent-Disposition: form-data; name=\"x\"\n\n1\n--b--")
        #expect(throws: Never.self) { try form.check(names: ["x", "y"]) }
        #expect(throws: RequestError.self) { try form.check(names: ["y"]) }
    }
}
