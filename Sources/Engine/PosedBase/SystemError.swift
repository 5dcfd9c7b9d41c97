internal import Glibc

/// The operating system's words for its error numbers.
package enum SystemError {
    /// The text of `number`, "No such file or directory".
    package static func text(_ number: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The text of `errno`.
    package static var last: String { text(errno) }
}
