internal import CPosedGRPC
internal import Glibc
internal import PosedBase
internal import PosedGuarded

/// What the thread of an event loop waits for: conditions of descriptors, commands of other threads, a moment.
///
/// Sendable because only the loop's thread waits and watches; the lock guards the commands.
final class Poller<Command: Sendable>: @unchecked Sendable {
    /// Conditions of a descriptor, to be asked for and told of.
    struct Conditions: OptionSet {
        let rawValue: UInt32

        static var readable: Conditions { Conditions(rawValue: POSED_POLL_READABLE) }
        static var writable: Conditions { Conditions(rawValue: POSED_POLL_WRITABLE) }
        /// The peer has closed its end.
        static var peerClosed: Conditions { Conditions(rawValue: POSED_POLL_PEER_CLOSED) }
        /// The connection broke; told of whether asked for or not.
        static var broken: Conditions { Conditions(rawValue: POSED_POLL_BROKEN) }
        /// Be told of changes alone, not again of what was told before.
        static var changes: Conditions { Conditions(rawValue: POSED_POLL_CHANGES) }

        var isBroken: Bool { rawValue & POSED_POLL_BROKEN != 0 }
        /// The peer sends no more.
        var hasEnded: Bool { isBroken || contains(.peerClosed) }
    }

    /// What a descriptor came to; the key is that of its `watch`.
    struct Event {
        let key: UInt64
        let conditions: Conditions
    }

    /// The key of commands: no descriptor may have it.
    private let commandKey = UInt64.max
    private let native: Descriptor
    private let wakeup: Descriptor
    private let commands = Guarded<[Command]>([])
    private var found = [posed_poll_event](
        repeating: posed_poll_event(), count: Int(POSED_POLL_MOST))

    /// - Throws: `RPCError` with `resourceExhausted` when the system has no descriptor to give.
    init(objectCounts: ObjectCounts) throws(RPCError) {
        func owned(_ number: Int32) throws(RPCError) -> Descriptor {
            guard number >= 0 else {
                throw RPCError(.resourceExhausted, "no event descriptor: \(SystemError.last)")
            }
            return Descriptor(number, objectCounts: objectCounts)
        }
        native = try owned(posed_poller_create())
        wakeup = try owned(posed_wakeup_create())
        guard watch(wakeup, .readable, key: commandKey) else {
            throw RPCError(.resourceExhausted, "no event descriptor: \(SystemError.last)")
        }
    }

    /// Waits for these conditions of a descriptor from now on; false when memory is short.
    @discardableResult
    func watch(_ descriptor: Descriptor, _ conditions: Conditions, key: UInt64) -> Bool {
        posed_poller_watch(native.number, descriptor.number, conditions.rawValue, key)
    }

    /// Waits for a descriptor no more. One that is closed everywhere is forgotten by itself.
    func forget(_ descriptor: Descriptor) {
        posed_poller_forget(native.number, descriptor.number)
    }

    /// Waits for the next events, at most until `end`. No event may mean a command.
    func wait(until end: ContinuousClock.Instant) -> [Event] {
        let left = ContinuousClock.now.duration(to: end)
        let count = posed_poller_wait(
            native.number, &found, Int32(found.count), max(0, left.roundedMilliseconds))
        return found[..<Int(count)].compactMap { event in
            guard event.key != commandKey else {
                // Before the commands are taken: one that comes later wakes the loop once more.
                var count: UInt64 = 0
                _ = read(wakeup.number, &count, MemoryLayout<UInt64>.size)
                return nil
            }
            return Event(key: event.key, conditions: Conditions(rawValue: event.conditions))
        }
    }

    /// Gives the loop's thread a command. From any thread.
    func send(_ command: Command) {
        commands.withLock { $0.append(command) }
        var one: UInt64 = 1
        _ = write(wakeup.number, &one, MemoryLayout<UInt64>.size)
    }

    /// How many commands have come and were not taken. From any thread.
    var commandCount: Int { commands.withLock { $0.count } }

    /// The commands that have come, in order.
    func takeCommands() -> [Command] {
        commands.withLock { commands in
            defer { commands = [] }
            return commands
        }
    }
}
