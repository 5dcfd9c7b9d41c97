internal import PosedGuarded
package import Tracing

/// A span that has ended.
package struct FinishedSpan: Sendable {
    package var name: String
    package var kind: SpanKind
    package var place: TraceParent
    /// The span above it; nil for the first of a trace.
    package var parent: [UInt8]?
    /// Nanoseconds since 1970.
    package var start: UInt64
    package var end: UInt64
    package var attributes: SpanAttributes
    package var status: SpanStatus?
}

/// The tracer of the daemon: hands the spans that end to whoever takes them, and never waits.
///
/// A caller that says it does not record its trace is not recorded here either.
package struct TraceRecorder: Tracer {
    private let take: @Sendable (FinishedSpan) -> Void

    /// A recorder; `take` returns at once.
    package init(_ take: @escaping @Sendable (FinishedSpan) -> Void) { self.take = take }

    package func startSpan<Instant: TracerInstant>(
        _ name: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file: String, line: UInt
    ) -> RecordedSpan {
        var context = context()
        let parent = context.traceParent
        let place = TraceParent(
            trace: parent?.trace ?? Self.random(16), span: Self.random(8),
            isSampled: parent?.isSampled ?? true)
        context.traceParent = place
        return RecordedSpan(
            FinishedSpan(
                name: name, kind: kind, place: place, parent: parent?.span,
                start: instant().nanosecondsSinceEpoch, end: 0, attributes: [:]),
            context: context, take: take)
    }

    package func forceFlush() {}

    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        context.traceParent = extractor.extract(key: "traceparent", from: carrier)
            .flatMap(TraceParent.init(parsing:))
    }

    package func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let parent = context.traceParent else { return }
        injector.inject(parent.description, forKey: "traceparent", into: &carrier)
    }

    private static func random(_ count: Int) -> [UInt8] {
        var bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max) }
        if bytes.allSatisfy({ $0 == 0 }) { bytes[0] = 1 }
        return bytes
    }
}

/// A span of a ``TraceRecorder``.
package final class RecordedSpan: Span {
    private struct State {
        var span: FinishedSpan
        var hasEnded = false
    }

    package let context: ServiceContext
    private let state: Guarded<State>
    private let take: @Sendable (FinishedSpan) -> Void

    init(
        _ span: FinishedSpan, context: ServiceContext,
        take: @escaping @Sendable (FinishedSpan) -> Void
    ) {
        self.context = context
        self.take = take
        state = Guarded(State(span: span))
    }

    package var operationName: String {
        get { state.withLock { $0.span.name } }
        set { state.withLock { $0.span.name = newValue } }
    }

    package var attributes: SpanAttributes {
        get { state.withLock { $0.span.attributes } }
        set { state.withLock { $0.span.attributes = newValue } }
    }

    package var isRecording: Bool {
        state.withLock { !$0.hasEnded && $0.span.place.isSampled }
    }

    package func setStatus(_ status: SpanStatus) { state.withLock { $0.span.status = status } }

    package func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        setStatus(SpanStatus(code: .error, message: "\(error)"))
    }

    /// Events and links are not exported.
    package func addEvent(_ event: SpanEvent) {}
    package func addLink(_ link: SpanLink) {}

    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let end = instant().nanosecondsSinceEpoch
        let span: FinishedSpan? = state.withLock { state in
            guard !state.hasEnded else { return nil }
            state.hasEnded = true
            state.span.end = max(end, state.span.start)
            return state.span.place.isSampled ? state.span : nil
        }
        if let span { take(span) }
    }
}
