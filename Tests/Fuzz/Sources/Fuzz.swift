import Foundation

/// `posed-fuzz SUBJECT [libFuzzer's arguments]` gives a reader of foreign bytes inputs until it traps.
///
/// An error that a reader throws is an answer; a trap, a hang and too much memory are what is looked for.
enum Fuzz {
    /// Written once, before the first input.
    nonisolated(unsafe) static var chosen = Subject.picture
}

/// Chooses the reader, for the driver.
@_cdecl("posed_fuzz_choose")
func choose(_ name: UnsafePointer<CChar>) -> Bool {
    guard let subject = Subject(rawValue: String(cString: name)) else {
        let names = Subject.allCases.map(\.rawValue).joined(separator: ", ")
        print("posed-fuzz: expected one of \(names) as the first argument")
        return false
    }
    Fuzz.chosen = subject
    return true
}

/// Gives the reader an input, for the driver.
@_cdecl("posed_fuzz_read")
func read(_ data: UnsafePointer<UInt8>?, _ size: Int) {
    Fuzz.chosen.read(data.map { Data(bytes: $0, count: size) } ?? Data())
}
