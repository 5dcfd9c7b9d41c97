package import Foundation
package import PosedErrors

/// The parts of a body of the type `multipart/form-data` (RFC 7578).
package struct Multipart {
    /// One part.
    private struct Part {
        /// The form field's name.
        var name: String
        /// The media type, in lower case; empty where the part names none.
        var type: String
        var body: Data
    }

    /// The most parts of a body: eight pictures, a pose, settings, and a few more.
    private static let limit = 16
    /// The most bytes of a part's header.
    private static let headerLimit = 4096

    private var parts: [Part] = []

    /// Takes a body apart.
    ///
    /// - Parameter contentType: the request's `Content-Type`, which names the boundary.
    /// - Throws: `invalidArgument` for a body that is not what its type says.
    package init(_ body: Data, contentType: String) throws(RequestError) {
        guard let boundary = Self.parameter("boundary", of: contentType), !boundary.isEmpty,
            boundary.utf8.count <= 70
        else {
            throw Self.broken("a boundary of 1 to 70 characters in Content-Type", "none")
        }
        let delimiter = Data("--\(boundary)".utf8)
        let following = Data("\r\n--\(boundary)".utf8)
        guard let first = body.range(of: delimiter) else {
            throw Self.broken("parts between lines \"--\(boundary)\"", "no such line")
        }
        var place = first.upperBound
        while true {
            let rest = body[place...]
            if rest.starts(with: Data("--".utf8)) { return }
            guard rest.starts(with: Data("\r\n".utf8)) else {
                throw Self.broken("the end of the line after a boundary", "other characters")
            }
            guard parts.count < Self.limit else {
                throw Self.broken("at most \(Self.limit) parts", "more")
            }
            let start = place + 2
            guard let end = body.range(of: following, in: start..<body.endIndex) else {
                throw Self.broken(
                    "a boundary after part \(parts.count + 1)", "the end of the body")
            }
            parts.append(try Self.part(body[start..<end.lowerBound], number: parts.count + 1))
            place = end.upperBound
        }
    }

    /// The bodies of all parts of a name, in their order.
    package func all(_ name: String) -> [Data] { parts.filter { $0.name == name }.map(\.body) }

    /// Throws for parts whose names are not among these.
    package func check(names: Set<String>) throws(RequestError) {
        for part in parts where !names.contains(part.name) {
            throw Self.broken(
                "parts named " + names.sorted().joined(separator: ", "), "\"\(part.name)\"")
        }
    }

    private static func part(_ bytes: Data, number: Int) throws(RequestError) -> Part {
        let separator = Data("\r\n\r\n".utf8)
        let search = bytes.startIndex..<min(bytes.endIndex, bytes.startIndex + headerLimit)
        guard let gap = bytes.range(of: separator, in: search) else {
            throw broken("a header of part \(number), then an empty line", "no empty line")
        }
        var headers: [String: String] = [:]
        let text = String(decoding: bytes[bytes.startIndex..<gap.lowerBound], as: UTF8.self)
        for line in text.components(separatedBy: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] =
                line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        guard let disposition = headers["content-disposition"],
            let name = parameter("name", of: disposition)
        else {
            throw broken("a Content-Disposition with a name in part \(number)", "none")
        }
        return Part(
            name: name, type: (headers["content-type"] ?? "").lowercased(),
            body: Data(bytes[gap.upperBound...]))
    }

    /// A parameter of a header's value: `form-data; name="source"`.
    private static func parameter(_ name: String, of value: String) -> String? {
        for piece in value.split(separator: ";").dropFirst() {
            let pair = piece.split(separator: "=", maxSplits: 1)
            guard pair.count == 2,
                pair[0].trimmingCharacters(in: .whitespaces).lowercased() == name
            else { continue }
            return pair[1].trimmingCharacters(in: CharacterSet(charactersIn: " \t\""))
        }
        return nil
    }

    private static func broken(_ expected: String, _ got: String) -> RequestError {
        RequestError(.invalidArgument, "multipart body: expected \(expected), got \(got)")
    }
}
