import CPosedFuzz
import Foundation

/// `posed-fuzz SUBJECT [libFuzzer's arguments]`: gives a reader of foreign bytes inputs until it traps.
///
/// An error that a reader throws is an answer; a trap, a hang and too much memory are what is looked for.
@main struct Fuzz {
    static func main() {
        guard CommandLine.arguments.count > 1,
            let subject = Subject(rawValue: CommandLine.arguments[1])
        else {
            let names = Subject.allCases.map(\.rawValue).joined(separator: ", ")
            print("posed-fuzz: expected one of \(names) as the first argument")
            exit(64)
        }
        chosen = subject
        var arguments = [CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)
        arguments.append("-detect_leaks=0")
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        let status = words.withUnsafeMutableBufferPointer { words in
            posed_fuzz(CInt(arguments.count), words.baseAddress) { data, size in
                Fuzz.chosen.read(data.map { Data(bytes: $0, count: size) } ?? Data())
                return 0
            }
        }
        exit(status)
    }

    /// Written once, before the first input.
    nonisolated(unsafe) private static var chosen = Subject.picture
}
