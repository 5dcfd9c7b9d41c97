/// The name of a job in the table; later jobs have greater ones.
package struct JobID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Counted from 0 in order of admission.
    package let number: UInt64

    /// The name of that number.
    package init(_ number: UInt64) { self.number = number }

    /// Whether `a` was admitted before `b`.
    package static func < (a: JobID, b: JobID) -> Bool { a.number < b.number }

    /// `#12`.
    package var description: String { "#\(number)" }
}
