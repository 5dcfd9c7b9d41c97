import PosedGuarded
import PosedSessions

/// What the engine remembers of sessions while the process lives, and may forget at any time.
///
/// Only a key begins a note: what comes to its end after its session was forgotten begins no new one.
final class SessionKeys: Sendable {
    /// The keys of a session's conditioning, by the form that it was computed in.
    private typealias Keys = [LaneForm: ContentKey]

    private let sessions = Guarded<[SessionID: Keys]>([:])

    /// The key of a session's conditioning in a form, if it was computed before.
    func key(_ id: SessionID, _ form: LaneForm) -> ContentKey? {
        sessions.withLock { $0[id]?[form] }
    }

    /// The lanes that computed a session's conditioning in a form, whichever lane that names.
    func lanes(_ id: SessionID, _ form: LaneForm) -> Set<Int> {
        sessions.withLock { sessions in
            let forms = sessions[id]?.keys.filter { $0.on(form.lane) == form } ?? []
            return Set(forms.map(\.lane))
        }
    }

    /// Remembers a key. Returns whether it is new.
    func note(_ key: ContentKey, of id: SessionID, _ form: LaneForm) -> Bool {
        sessions.withLock { sessions in
            sessions[id, default: [:]].updateValue(key, forKey: form) == nil
        }
    }

    /// Sessions of which something is remembered.
    var count: Int { sessions.withLock { $0.count } }

    /// Forgets a session.
    ///
    /// - Returns: The keys of its conditioning.
    func forget(_ id: SessionID) -> [ContentKey] {
        sessions.withLock { sessions in
            sessions.removeValue(forKey: id).map { Array($0.values) } ?? []
        }
    }
}
