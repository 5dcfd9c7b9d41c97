internal import Dispatch
package import Logging
internal import PosedGuarded

/// Sends spans to a collector, by OTLP over HTTP.
///
/// Spans wait in a bounded queue and go out once a second. Those that find no room, and those that the collector does
/// not take, are lost; the log says how many. Nobody ever waits for a collector.
package final class TraceExporter: Sendable {
    private struct State {
        var waiting: [FinishedSpan] = []
        var lost = 0
        var isScheduled = false
    }

    /// The most spans that wait.
    package static let capacity = 4096
    private static let interval = DispatchTimeInterval.seconds(1)

    private let endpoint: CollectorAddress
    private let version: String
    private let logger: Logger
    private let quota = LogQuota(lines: 1)
    private let queue = DispatchQueue(label: "posed-traces", qos: .utility)
    private let state = Guarded(State())

    /// An exporter to a collector.
    package init(_ endpoint: CollectorAddress, version: String, logger: Logger) {
        self.endpoint = endpoint
        self.version = version
        self.logger = logger
    }

    /// Takes a span; returns at once.
    package func take(_ span: FinishedSpan) {
        let isFirst = state.withLock { state in
            guard state.waiting.count < Self.capacity else {
                state.lost += 1
                return false
            }
            state.waiting.append(span)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { queue.asyncAfter(deadline: .now() + Self.interval) { [self] in send() } }
    }

    private func send() {
        let (spans, lost) = state.withLock { state in
            defer {
                state.waiting = []
                state.lost = 0
                state.isScheduled = false
            }
            return (state.waiting, state.lost)
        }
        do throws(CollectorAddress.Failure) {
            try endpoint.post(OTLP.request(spans, version: version))
            if lost > 0 { complain("\(lost) spans were lost: more came than wait at most") }
        } catch {
            complain("\(spans.count + lost) spans were lost: \(endpoint) \(error.reason)")
        }
    }

    private func complain(_ sentence: String) {
        guard let withheld = quota.take() else { return }
        logger.warning("\(sentence)", metadata: withheld > 0 ? ["withheld": "\(withheld)"] : [:])
    }
}
