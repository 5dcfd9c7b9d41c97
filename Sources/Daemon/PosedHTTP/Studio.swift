internal import CPosedStudio
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import PosedRPC

/// A person that the studio offers: a folder with `source.png` and motions, a file `NAME.jsonl` each.
package struct SamplePerson: Sendable {
    /// The folder's name.
    package let name: String
    /// The picture.
    let source: String
    /// The motions' names and files.
    let motions: [(name: String, file: String)]

    /// The people in a folder, sorted by name; none where there is no such folder.
    package static func all(in folder: String) -> [SamplePerson] {
        let files = FileManager.default
        let names = ((try? files.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        return names.compactMap { name in
            let home = "\(folder)/\(name)"
            let source = "\(home)/source.png"
            guard files.fileExists(atPath: source) else { return nil }
            let motions = ((try? files.contentsOfDirectory(atPath: home)) ?? []).sorted()
                .filter { $0.hasSuffix(".jsonl") }
                .map { (name: String($0.dropLast(6)), file: "\(home)/\($0)") }
            return SamplePerson(name: name, source: source, motions: motions)
        }
    }
}

/// A file that is part of the program.
struct EmbeddedFile {
    let type: String
    let bytes: ByteBuffer

    /// All files by name.
    static let all: [String: EmbeddedFile] = {
        var files: [String: EmbeddedFile] = [:]
        var index = 0
        while let file = posed_studio_file_at(index)?.pointee {
            index += 1
            files[String(cString: file.name)] = EmbeddedFile(
                type: String(cString: file.type),
                bytes: ByteBuffer(
                    bytes: UnsafeBufferPointer(start: file.bytes, count: file.length)))
        }
        return files
    }()

    /// The file as an answer.
    var response: Response {
        Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "no-cache"],
            body: ResponseBody(byteBuffer: bytes))
    }
}

/// The description of the interface.
enum OpenAPI {
    static var response: Response {
        EmbeddedFile.all["openapi.json"]?.response ?? Response(status: .notFound)
    }
}

extension API {
    /// The studio's page, its files, and the sample people.
    func registerStudio(in router: Hummingbird.Router<APIContext>) {
        router.get("studio") { request, context in page(request, context) }
        router.get("studio/samples.json") { _, _ in try people() }
        router.get("studio/samples/:person/:file") { _, context in
            try sample(
                context.parameters.require("person"), context.parameters.require("file"))
        }
        router.get("studio/:file") { _, context in
            let name = try context.parameters.require("file")
            guard let file = EmbeddedFile.all[name], name != "openapi.json" else {
                throw Problem(.notFound, .notFound, "the studio has no file \"\(name)\"")
            }
            return Self.guarded(file.response)
        }
    }

    /// The page. A ticket in the address becomes a cookie, and goes from the address.
    private func page(_ request: Request, _ context: APIContext) -> Response {
        guard let ticket = request.uri.queryParameters["ticket"] else {
            return Self.guarded(
                EmbeddedFile.all["index.html"]?.response ?? Response(status: .notFound))
        }
        guard let cookie = browsers.redeem(String(ticket)) else {
            return Problem(
                .forbidden, .permissionDenied,
                "the ticket was used or is older than a minute; \"posectl studio\" prints a new address"
            ).response
        }
        let life = Browsers.cookieLife.components.seconds
        let secure = options.isSecure ? "; Secure" : ""
        return Response(
            status: .seeOther,
            headers: [
                .location: "/studio", .cacheControl: "no-store",
                .setCookie:
                    "\(Browsers.cookieName)=\(cookie); Path=/; Max-Age=\(life); HttpOnly; SameSite=Strict\(secure)",
            ])
    }

    /// What a page of the studio may do: load its own files, and call its own daemon.
    private static func guarded(_ response: Response) -> Response {
        var response = response
        let policy =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        let headers = [
            "Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        ]
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { response.headers[name] = value }
        }
        return response
    }

    private func people() throws -> Response {
        let people = options.samples.map { person in
            [
                "name": person.name, "source": "/studio/samples/\(person.name)/source.png",
                "motions": person.motions.map { motion in
                    [
                        "name": motion.name,
                        "poses": "/studio/samples/\(person.name)/\(motion.name).jsonl",
                    ]
                },
            ] as [String: Any]
        }
        let body = try JSONSerialization.data(withJSONObject: ["people": people])
        return Self.guarded(
            Response(
                status: .ok,
                headers: [.contentType: "application/json", .cacheControl: "no-cache"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))))
    }

    /// A file of a sample person; only those that were found at the start are told.
    private func sample(_ name: String, _ file: String) throws -> Response {
        let person = options.samples.first { $0.name == name }
        let path =
            file == "source.png"
            ? person?.source : person?.motions.first { "\($0.name).jsonl" == file }?.file
        guard let path, let bytes = FileManager.default.contents(atPath: path) else {
            throw Problem(.notFound, .notFound, "the samples have no \(name)/\(file)")
        }
        let type = file == "source.png" ? "image/png" : "application/jsonl"
        return Self.guarded(
            Response(
                status: .ok, headers: [.contentType: type, .cacheControl: "no-cache"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))))
    }
}
