package import PosedStore

extension Settings {
    /// The store of sessions that several daemons share.
    package enum Store {
        package static let address = Setting(
            "sessions.store", .optional(.store), initial: nil, .restart,
            "The Redis or Valkey server where sessions are kept for several daemons; none keeps them on this "
                + "machine alone. It takes the place of sessions.stateDirectory.")
        package static let timeout = Setting(
            "store.timeout", .duration(.milliseconds(10)...(.seconds(10))),
            initial: .milliseconds(250), .restart,
            "The longest that a request waits for the store.")
        package static let authFile = Setting(
            "store.authFile", .optional(.path("a file")), initial: nil, .restart,
            "A file with PASSWORD or USER PASSWORD for the store, read for each connection.")
        package static let conditioning = Setting(
            "store.conditioning", .flag, initial: false, .restart,
            "Whether encoded sources of sessions are kept in the store, too, 1 to 4 MB each: a daemon of the same "
                + "version, models and numerics then need not encode a session that comes to it.")
        static let all: [any AnySetting] = [timeout, authFile, conditioning]
    }
}

extension Codec<RedisAddress> {
    /// A Redis server.
    static var store: Codec {
        .scalar(
            "an address such as redis://127.0.0.1:6379/0, without a password",
            read: RedisAddress.init(_:), write: { Codec<String>.quoted($0.description) })
    }
}
