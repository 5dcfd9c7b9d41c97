import Foundation
import PosedBase
import PosedErrors

/// Where a listing goes on: behind the session that came last, whether it still exists or not.
///
/// Sessions are listed in the order of their creation, then of their ids, which never change. A
/// session that exists all the while is therefore listed exactly once, whatever else comes and goes
/// between two pages. A token belongs to one identity, needs no memory of the server's, and stays
/// good over a restart. It tells its client nothing that the last page has not told.
struct PageToken: Hashable, Sendable {
    /// The place of a session in a listing.
    struct Position: Hashable, Comparable, Sendable {
        let created: WallTime
        let id: SessionID

        static func < (left: Position, right: Position) -> Bool {
            (left.created, left.id) < (right.created, right.id)
        }
    }

    private static let checkBytes = 8

    /// The session after which to go on.
    let position: Position

    /// A token for going on after a session.
    init(after position: Position) { self.position = position }

    /// The token that was written so for `owner`.
    ///
    /// - Throws: `invalidArgument` for everything else.
    init(_ text: String, owner: String) throws(RequestError) {
        guard let token = Self.parse(text, owner: owner) else {
            throw RequestError(
                .invalidArgument,
                "a page token is what the page before came with, but this one is "
                    + SessionText.quoted(text), at: "page_token")
        }
        self = token
    }

    /// The token as a client of this identity gets it.
    func text(owner: String) -> String {
        let payload = Self.payload(position)
        return Self.unpadded(Data(payload + Self.check(payload, owner: owner)))
    }

    private static func parse(_ text: String, owner: String) -> PageToken? {
        guard text.utf8.count < 128, let bytes = data(text), bytes.count > checkBytes
        else { return nil }
        let payload = [UInt8](bytes.dropLast(checkBytes))
        guard [UInt8](bytes.suffix(checkBytes)) == check(payload, owner: owner),
            let milliseconds = LittleEndian.value(UInt64.self, in: payload, at: 0),
            let signed = Int64(exactly: milliseconds), signed <= WallTime.latest.milliseconds,
            let id = SessionID(String(decoding: payload.dropFirst(8), as: UTF8.self)),
            unpadded(bytes) == text
        else { return nil }
        return PageToken(after: Position(created: WallTime(milliseconds: signed), id: id))
    }

    private static func payload(_ position: Position) -> [UInt8] {
        LittleEndian.bytes(of: UInt64(position.created.milliseconds))
            + Array(position.id.description.utf8)
    }

    private static func check(_ payload: [UInt8], owner: String) -> [UInt8] {
        var hasher = ContentHasher(kind: "page token")
        hasher.combine("owner", owner)
        hasher.combine("position", payload)
        return Array(hasher.key().bytes.prefix(checkBytes))
    }

    private static func unpadded(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    private static func data(_ text: String) -> Data? {
        let standard = text.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
        return Data(base64Encoded: standard + padding)
    }
}
