internal import PosedBackend

extension Settings {
    /// What one request may ask for, and how much of the daemon its callers may hold.
    package enum Limits {
        private static let counts = Codec<Int>.integer(1...1_000_000)
        private static let sizes = Codec<Int>.bytes((64 << 10)...(1 << 46))
        private static let times = Codec<Duration>.duration(.seconds(1)...(.seconds(86_400)))

        private static func count(_ name: String, _ initial: Int, _ summary: String) -> Setting<Int>
        {
            Setting("limits.\(name)", counts, initial: initial, .reload, summary)
        }

        private static func share(_ name: String, _ summary: String) -> Setting<Int?> {
            Setting("limits.\(name)", .optional(sizes), initial: nil, .reload, summary)
        }

        // One request

        package static let maxNfe = Setting(
            "limits.maxNfe", .integer(1...10_000), initial: 200, .reload,
            "Velocity evaluations of one picture.")
        package static let maxSide = Setting(
            "limits.maxSide", .integer(8...16_384), initial: 2048, .reload,
            "Width and height of pictures, made or sent, in pixels.")
        package static let maxSources = Setting(
            "limits.maxSources", .integer(1...64), initial: 8, .reload,
            "Pictures of the person in one session.")
        package static let frameTime = Setting(
            "limits.frameTime", times, initial: .seconds(120), .reload,
            "How long the device may be predicted to need for one picture, by size, evaluations and "
                + "guidance; a request for more is refused.")
        package static let stepTime = Setting(
            "limits.stepTime", .optional(times), initial: nil, .reload,
            "How long it may be predicted to need for one step of a picture, which nothing interrupts: at most "
                + "half of watchdog.stallTimeout; none for a third of that.")

        // Time

        package static let firstMessageTimeout = Setting(
            "limits.firstMessageTimeout", times, initial: .seconds(30), .restart,
            "How long a call may take to send its first message.")
        package static let idleTimeout = Setting(
            "limits.idleTimeout", times, initial: .seconds(300), .restart,
            "How long a stream may neither send a pose nor take an answer before it is ended.")

        // What callers may hold

        package static let memory = Setting(
            "limits.memory", .optional(.bytes((128 << 20)...(1 << 46))), initial: nil, .reload,
            "Memory of the host that the daemon may take, its model included; none for 2 GiB more than it "
                + "takes when it is ready and idle. docs/operations.md says how it is divided.")
        package static let connections = count(
            "connections", 1024, "Connections of all peers together.")
        package static let connectionsPerPeer = count(
            "connectionsPerPeer", 128,
            "Connections of one peer: an IPv4 address, an IPv6 network of 64 bits, or a user of this machine."
        )
        package static let openCalls = count(
            "openCalls", 128,
            "Health checks and watches of all peers together, which need no identity.")
        package static let openCallsPerPeer = count(
            "openCallsPerPeer", 16, "Health checks and watches of one peer.")
        package static let calls = count(
            "calls", 256, "All other calls of all callers together.")
        package static let callsPerIdentity = count(
            "callsPerIdentity", 64, "Such calls of one identity.")
        package static let streams = count(
            "streams", 128, "Streams of poses of all callers together; each is a call, too.")
        package static let streamsPerIdentity = count(
            "streamsPerIdentity", 32, "Streams of one identity.")
        package static let bytesInFlight = share(
            "bytesInFlight",
            "Memory of messages and pictures that were received and are not answered; none for a quarter of "
                + "limits.memory, less the model's.")
        package static let bytesInFlightPerIdentity = share(
            "bytesInFlightPerIdentity", "The same of one identity; none for a quarter of that.")
        package static let sessions = count("sessions", 256, "Sessions of all callers together.")
        package static let sessionsPerIdentity = count(
            "sessionsPerIdentity", 64, "Sessions of one identity.")
        package static let sessionBytes = share(
            "sessionBytes",
            "Memory of all sessions: half for their pictures, half for their encoded sources; none for half of "
                + "limits.memory, less the model's.")
        package static let sessionBytesPerIdentity = share(
            "sessionBytesPerIdentity", "The same of one identity; none for a quarter of that.")
        package static let queuedFrames = count(
            "queuedFrames", 256,
            "Frames of all callers that were accepted and are not made; more are told RESOURCE_EXHAUSTED."
        )
        package static let queuedFramesPerIdentity = count(
            "queuedFramesPerIdentity", 64, "Such frames of one identity.")
        package static let queuedTimePerIdentity = Setting(
            "limits.queuedTimePerIdentity", times, initial: .seconds(600), .reload,
            "How long the device may be predicted to need for all such frames of one identity.")
        package static let identities = Setting(
            "limits.identities", .list(of: .identityLimits, IdentityLimits.expectation),
            initial: [], .reload,
            "Identities with limits of their own in place of the PerIdentity ones.")

        static let all: [any AnySetting] = [
            maxNfe, maxSide, maxSources, frameTime, stepTime, firstMessageTimeout, idleTimeout,
            memory, connections, connectionsPerPeer, openCalls, openCallsPerPeer, calls,
            callsPerIdentity, streams, streamsPerIdentity, bytesInFlight, bytesInFlightPerIdentity,
            sessions, sessionsPerIdentity, sessionBytes, sessionBytesPerIdentity, queuedFrames,
            queuedFramesPerIdentity, queuedTimePerIdentity, identities,
        ]

        /// The keys that earlier versions had, and the settings that they are now. Each is still read, with a
        /// warning.
        static let renamed: [String: any AnySetting] = [
            "sessions.maxCount": sessions, "sessions.maxPerOwner": sessionsPerIdentity,
            "sessions.maxBytes": sessionBytes, "scheduling.maxQueuedFrames": queuedFrames,
            "scheduling.maxQueuedFramesPerOwner": queuedFramesPerIdentity,
        ]
    }
}

/// Limits of one identity: `token:studio calls=128 sessionBytes=1GiB`.
package struct IdentityLimits: Hashable, Sendable, CustomStringConvertible {
    /// What may have a limit, and whether that is a number of bytes.
    private static let names: [String: Bool] = [
        "calls": false, "streams": false, "bytesInFlight": true, "sessions": false,
        "sessionBytes": true, "queuedFrames": false,
    ]

    /// What a list of them is, for messages.
    static let expectation =
        "a list of identities, each with one or more of calls, streams, bytesInFlight, sessions, sessionBytes and "
        + "queuedFrames, such as \"token:studio calls=128 sessionBytes=1GiB\""

    /// The identity, such as `token:studio`; no pattern.
    package let identity: String
    /// The limits by name.
    package let limits: [String: Int]

    /// The limits in a text; nil where there are none.
    package init?(parsing text: String) {
        let words = text.split(separator: " ")
        guard let name = words.first.map(String.init), words.count > 1,
            IdentityPattern(parsing: name) != nil, name != "*", !name.hasSuffix(":*")
        else { return nil }
        var limits: [String: Int] = [:]
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let isBytes = Self.names[parts[0]], limits[parts[0]] == nil,
                let value = isBytes ? ByteCount.parse(parts[1]) : Int(parts[1]), value > 0
            else { return nil }
            limits[parts[0]] = value
        }
        identity = name
        self.limits = limits
    }

    /// The text, with the limits in the order of their names.
    package var description: String {
        let texts = limits.sorted { $0.key < $1.key }.map { name, value in
            "\(name)=\(Self.names[name] == true ? ByteCount.text(value) : String(value))"
        }
        return ([identity] + texts).joined(separator: " ")
    }
}

extension Codec<IdentityLimits> {
    /// Limits of one identity.
    package static var identityLimits: Codec {
        .scalar(
            "an identity with limits", read: IdentityLimits.init(parsing:),
            write: { Codec<String>.quoted($0.description) })
    }
}
