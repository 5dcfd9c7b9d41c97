/// Something that callers hold for a while and of which there is only so much.
package enum Resource: String, Hashable, Sendable, CaseIterable {
    /// Connections, of a peer.
    case connections
    /// Calls of methods that anybody may call, such as health checks, of a peer. They are counted apart, so
    /// that other calls can never use up what health checks need, nor the other way round.
    case openCalls
    /// Calls, of an identity; streams are calls too.
    case calls
    /// Streams of poses.
    case streams
    /// Bytes of messages and pictures that were received and are not given back, decoded sizes included.
    case bytes
    /// Sessions.
    case sessions
    /// Bytes of the pictures of sessions.
    case sessionBytes
    /// Bytes of encoded sources that are in use and cannot be given up.
    case conditioningBytes
    /// Frames that wait for the device.
    case queuedFrames
    /// Time that the device is predicted to need for all frames that were accepted, in milliseconds.
    case deviceTime

    /// The resource in a sentence, after a number.
    package var unit: String {
        switch self {
        case .connections: "connections"
        case .openCalls: "calls of open methods"
        case .calls: "calls"
        case .streams: "streams"
        case .bytes: "bytes of requests in flight"
        case .sessions: "sessions"
        case .sessionBytes: "bytes of sessions' pictures"
        case .conditioningBytes: "bytes of encoded sources in use"
        case .queuedFrames: "frames that wait"
        case .deviceTime: "milliseconds of the device"
        }
    }
}

/// An amount of each resource: a use of them, or a bound.
package struct Amounts: Hashable, Sendable {
    private var values: [Int]

    /// The same amount of each.
    package init(_ value: Int = 0) {
        values = [Int](repeating: value, count: Resource.allCases.count)
    }

    /// The amount of a resource.
    package subscript(resource: Resource) -> Int {
        get { values[resource.place] }
        set { values[resource.place] = newValue }
    }

    /// Whether all amounts are 0.
    package var isZero: Bool { values.allSatisfy { $0 == 0 } }
}

extension Resource {
    /// The place in `allCases`.
    fileprivate var place: Int {
        switch self {
        case .connections: 0
        case .openCalls: 1
        case .calls: 2
        case .streams: 3
        case .bytes: 4
        case .sessions: 5
        case .sessionBytes: 6
        case .conditioningBytes: 7
        case .queuedFrames: 8
        case .deviceTime: 9
        }
    }
}
