import Foundation
import PosedGuarded

/// The person at the terminal, if there is one: progress and summaries go to stderr, and only there.
enum Terminal {
    /// Whether stderr is a terminal.
    static let isPresent = isatty(STDERR_FILENO) != 0

    /// Whether a progress line stands on the terminal at the moment.
    private static let hasProgress = Guarded(false)

    /// Shows a line that the next one replaces.
    static func progress(_ text: @autoclosure () -> String) {
        guard isPresent else { return }
        hasProgress.withLock { $0 = true }
        write("\r\u{1B}[2K" + text())
    }

    /// Takes the progress line away.
    static func clearProgress() {
        let had = hasProgress.withLock { shown in
            defer { shown = false }
            return shown
        }
        if had { write("\r\u{1B}[2K") }
    }

    /// Says something that stays, terminal or not: what is done in another way than was asked for.
    static func note(_ sentence: String) {
        clearProgress()
        write("posekit: " + sentence + "\n")
    }

    /// Says something that stays.
    static func say(_ text: @autoclosure () -> String) {
        guard isPresent else { return }
        clearProgress()
        write(text() + "\n")
    }

    private static func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
