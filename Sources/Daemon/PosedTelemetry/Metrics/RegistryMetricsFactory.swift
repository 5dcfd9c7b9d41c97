package import CoreMetrics

/// Gives libraries that report through swift-metrics their place in the registry.
///
/// A label becomes a name that Prometheus reads; dimensions become labels. What does not fit the registry,
/// such as a name that is already in other use, counts in silence: a library's metrics never stop a daemon.
package struct RegistryMetricsFactory: MetricsFactory {
    private let registry: MetricsRegistry

    /// A factory whose metrics appear on the page of a registry.
    package init(_ registry: MetricsRegistry) {
        self.registry = registry
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        CounterAdapter(counter(label, dimensions))
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        CounterAdapter(counter(label, dimensions))
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        GaugeAdapter(gauge(label, dimensions))
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else { return GaugeAdapter(gauge(label, dimensions)) }
        return HistogramAdapter(histogram(Self.name(label), dimensions))
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        HistogramAdapter(histogram(Self.name(label) + "_seconds", dimensions))
    }

    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    private func counter(_ label: String, _ dimensions: [(String, String)]) -> Counter {
        let name = Self.name(label)
        let family = try? registry.counter(
            name.hasSuffix("_total") ? name : name + "_total", help: label,
            labels: dimensions.map { Self.name($0.0) })
        return family?.find(dimensions.map(\.1)) ?? Counter()
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> Gauge {
        let family = try? registry.gauge(
            Self.name(label), help: label, labels: dimensions.map { Self.name($0.0) })
        return family?.find(dimensions.map(\.1)) ?? Gauge()
    }

    private func histogram(_ name: String, _ dimensions: [(String, String)]) -> Histogram {
        let family = try? registry.histogram(
            name, help: name, labels: dimensions.map { Self.name($0.0) })
        return family?.find(dimensions.map(\.1)) ?? Histogram(bounds: Histogram.seconds)
    }

    /// A name with `_` for every character that Prometheus would not read.
    private static func name(_ label: String) -> String {
        let characters = label.map { character in
            character.isASCII && (character.isLetter || character.isNumber) ? character : "_"
        }
        let name = String(characters)
        return name.first?.isNumber ?? true ? "_" + name : name
    }
}
