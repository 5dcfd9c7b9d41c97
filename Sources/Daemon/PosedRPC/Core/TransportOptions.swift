internal import CPosedGRPC
internal import PosedBase

/// Limits and habits of connections, for servers and channels alike.
package struct TransportOptions: Sendable, Hashable {
    /// The largest message to accept, bytes.
    package var maxReceiveBytes = 16 << 20
    /// The largest message to send, bytes.
    package var maxSendBytes = 16 << 20
    /// The most metadata to accept in one direction of a call, bytes.
    package var maxMetadataBytes = 16 << 10
    /// Calls at a time on one connection (servers).
    package var maxConcurrentStreams: Int? = 128
    /// How far a sender may run ahead of a reader, bytes of one call.
    package var windowBytes = 1 << 20
    /// The largest HTTP/2 frame to accept, bytes.
    package var maxFrameBytes = 256 << 10
    /// Time without traffic after which the peer is asked whether it lives; nil never asks.
    package var keepaliveTime: Duration? = .seconds(30)
    /// How long it may take to answer that.
    package var keepaliveTimeout: Duration = .seconds(10)
    /// Whether to ask on connections without calls too.
    package var keepaliveWithoutCalls = false
    /// How often a client may ask (servers); more often is abuse and ends the connection.
    package var leastPingInterval: Duration = .seconds(5)
    /// Time for a new connection to be made and finish its handshake.
    package var handshakeTimeout: Duration = .seconds(10)
    /// The first and the longest wait between attempts to connect (clients).
    package var reconnectDelay: ClosedRange<Duration> = .milliseconds(100)...(.seconds(5))

    package init() {}

    /// The options as the library reads them. Strings are left out.
    var native: posed_grpc_options {
        var native = posed_grpc_options_default()
        native.max_receive_bytes = Int32(clamping: maxReceiveBytes)
        native.max_send_bytes = Int32(clamping: maxSendBytes)
        native.max_metadata_bytes = Int32(clamping: maxMetadataBytes)
        if let maxConcurrentStreams {
            native.max_concurrent_streams = Int32(clamping: maxConcurrentStreams)
        }
        native.window_bytes = Int32(clamping: windowBytes)
        native.max_frame_bytes = Int32(clamping: maxFrameBytes)
        if let keepaliveTime { native.keepalive_time = keepaliveTime.roundedMilliseconds }
        native.keepalive_timeout = keepaliveTimeout.roundedMilliseconds
        native.keepalive_without_calls = keepaliveWithoutCalls ? 1 : 0
        native.max_pings_without_data = 0  // keepalive is not to stop after a few pings
        native.least_ping_interval = leastPingInterval.roundedMilliseconds
        native.handshake_timeout = handshakeTimeout.roundedMilliseconds
        native.least_reconnect_delay = reconnectDelay.lowerBound.roundedMilliseconds
        native.most_reconnect_delay = reconnectDelay.upperBound.roundedMilliseconds
        return native
    }
}

extension Duration {
    /// Milliseconds, rounded up and clamped to what the library takes.
    var roundedMilliseconds: Int32 {
        let whole = wholeMilliseconds
        return Int32(clamping: self > .milliseconds(whole) ? whole + 1 : whole)
    }
}
