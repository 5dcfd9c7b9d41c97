import Dispatch
import Foundation
import PosedGuarded

/// SIGINT and SIGTERM: the first ends the command in good order, a second one the process at once.
enum Interruption {
    private static let received = Guarded<Int32?>(nil)

    /// What an interrupted process ends with, 130 or 143; nil as long as no signal came.
    static var exitStatus: Int32? {
        guard let number = received.withLock({ $0 }) else { return nil }
        return 128 + number
    }

    /// From now on the first signal cancels `work`.
    ///
    /// - Returns: What listens, for as long as it is kept.
    static func cancels(_ work: Task<Void, Never>) -> [any DispatchSourceSignal] {
        let queue = DispatchQueue(label: "posectl.signals")
        return [SIGINT, SIGTERM].map { number in
            // The source is to have it, not the default action.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                if isFirst(number) { work.cancel() } else { _exit(128 + number) }
            }
            source.resume()
            return source
        }
    }

    /// Notes a signal; returns whether it is the first.
    private static func isFirst(_ number: Int32) -> Bool {
        received.withLock { first in
            guard first == nil else { return false }
            first = number
            return true
        }
    }
}
