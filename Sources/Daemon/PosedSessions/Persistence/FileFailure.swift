import Glibc
import PosedBase

/// What a system call said when it failed.
struct FileFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The value of `errno`.
    let number: Int32

    /// The failure of a call that left this `errno`.
    init(_ number: Int32) { self.number = number }

    /// The system's words for it.
    var description: String { SystemError.text(number) }

    /// The room's error, with a sentence that says what could not be done.
    ///
    /// - Parameter code: the code where the number says neither that the disk is full nor that
    ///   writing is not allowed.
    func error(_ sentence: String, otherwise code: StorageError.Code = .unwritable) -> StorageError
    {
        let specific: StorageError.Code =
            switch number {
            case ENOSPC, EDQUOT: .diskFull
            case EROFS, EACCES, EPERM: code == .unwritable ? .readOnly : code
            default: code
            }
        return StorageError(specific, "\(sentence): \(description)", cause: self)
    }
}
