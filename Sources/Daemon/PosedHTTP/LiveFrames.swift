internal import PosedGuarded

/// The pictures that sessions make now, for whoever watches them. A slow watcher misses pictures; nobody waits
/// for one.
final class LiveFrames: Sendable {
    private struct Key: Hashable {
        let session: String
        let owner: String
    }

    private struct State {
        var last = 0
        var watchers: [Key: [Int: AsyncStream<API.Picture>.Continuation]] = [:]
    }

    private let state = Guarded(State())

    /// Shows a picture to those who watch a session of its owner's.
    func show(_ picture: API.Picture, in session: String, of owner: String) {
        let watchers = state.withLock { $0.watchers[Key(session: session, owner: owner)] } ?? [:]
        for watcher in watchers.values { watcher.yield(picture) }
    }

    /// The pictures of a session from now on, until the watcher stops.
    func watch(_ session: String, of owner: String) -> AsyncStream<API.Picture> {
        let key = Key(session: session, owner: owner)
        let (stream, continuation) = AsyncStream.makeStream(
            of: API.Picture.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.last += 1
            state.watchers[key, default: [:]][state.last] = continuation
            return state.last
        }
        continuation.onTermination = { [weak self] _ in self?.forget(number, of: key) }
        return stream
    }

    private func forget(_ number: Int, of key: Key) {
        state.withLock { state in
            state.watchers[key]?[number] = nil
            if state.watchers[key]?.isEmpty == true { state.watchers[key] = nil }
        }
    }
}

/// The pictures that one watcher is shown.
///
/// Sendable because one task asks at a time.
final class Watching: @unchecked Sendable {
    private var iterator: AsyncStream<API.Picture>.AsyncIterator

    init(_ frames: AsyncStream<API.Picture>) { iterator = frames.makeAsyncIterator() }

    /// The next picture; nil when there are no more.
    func next() async -> API.Picture? { await iterator.next() }
}
