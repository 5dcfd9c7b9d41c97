import PosedGuarded

/// Values that are made once and found by key for as long as somebody else keeps them.
final class WeakCache<Key: Hashable & Sendable, Value: AnyObject & Sendable>: Sendable {
    private struct Entry: Sendable {
        weak var value: Value?
    }

    private let entries = Guarded<[Key: Entry]>([:])

    /// The value of a key: one that is still in use, or a new one.
    func value(_ key: Key, make: () throws -> Value) rethrows -> Value {
        if let known = entries.withLock({ $0[key]?.value }) { return known }
        let made = try make()
        return entries.withLock { entries in
            if let earlier = entries[key]?.value { return earlier }
            entries = entries.filter { $0.value.value != nil }
            entries[key] = Entry(value: made)
            return made
        }
    }
}
