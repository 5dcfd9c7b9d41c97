import ArgumentParser

/// A session's name; `sessions/` may be left out.
struct SessionName: ExpressibleByArgument {
    let name: String

    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        name = argument.hasPrefix("sessions/") ? argument : "sessions/" + argument
    }
}
