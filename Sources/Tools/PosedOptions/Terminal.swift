import Foundation
import PosedGuarded

/// The person at the terminal, if there is one: progress and summaries go to stderr, and only there.
package enum Terminal {
    /// Whether stderr is a terminal.
    package static let isPresent = isatty(STDERR_FILENO) != 0

    /// Whether a progress line stands on the terminal at the moment.
    private static let hasProgress = Guarded(false)

    /// Shows a line that the next one replaces.
    package static func progress(_ text: @autoclosure () -> String) {
        guard isPresent else { return }
        hasProgress.withLock { $0 = true }
        write("\r\u{1B}[2K" + text())
    }

    /// Takes the progress line away.
    package static func clearProgress() {
        let had = hasProgress.withLock { shown in
            defer { shown = false }
            return shown
        }
        if had { write("\r\u{1B}[2K") }
    }

    /// Says something that stays, terminal or not, after the program's name: what went wrong with a part of the
    /// work, or is done in another way than was asked for.
    package static func note(_ sentence: String) {
        clearProgress()
        write("\(ProcessInfo.processInfo.processName): \(sentence)\n")
    }

    /// Says something that stays, if there is somebody at the terminal.
    package static func say(_ text: @autoclosure () -> String) {
        guard isPresent else { return }
        clearProgress()
        write(text() + "\n")
    }

    private static func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
