/// To come.
struct TelemetryPlaceholder {}
