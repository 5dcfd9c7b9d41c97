package import Logging

/// The end of swift-log that writes to a ``LogSink``.
package struct LogHandler: Logging.LogHandler {
    private let label: String
    private let sink: LogSink
    private var ownLevel: Logger.Level?

    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    /// The handler of a logger of a given name.
    package init(label: String, sink: LogSink, metadataProvider: Logger.MetadataProvider?) {
        self.label = label
        self.sink = sink
        self.metadataProvider = metadataProvider
    }

    /// The sink's level, until this logger is given one of its own.
    package var logLevel: Logger.Level {
        get { ownLevel ?? sink.level }
        set { ownLevel = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var merged = metadata
        if let provided = metadataProvider?.get() { merged.merge(provided) { $1 } }
        if let explicit = event.metadata { merged.merge(explicit) { $1 } }
        if let error = event.error { merged["error"] = .string(String(describing: error)) }
        sink.write(
            level: event.level, label: label, message: event.message.description, metadata: merged)
    }
}
