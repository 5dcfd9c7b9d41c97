import PosedGuarded
import PosedSessions

/// What the engine remembers of sessions while the process lives, and may forget at any time.
///
/// Only a key begins a note: what comes to its end after its session was forgotten begins no new one.
final class SessionNotes: Sendable {
    private struct Note {
        var keys: [LaneForm: ContentKey] = [:]
        var bytes = 0
        var frames = 0
    }

    private let notes = Guarded<[SessionID: Note]>([:])

    /// The key of a session's conditioning in a form, if it was computed before.
    func key(_ id: SessionID, _ form: LaneForm) -> ContentKey? {
        notes.withLock { $0[id]?.keys[form] }
    }

    /// The lanes that computed a session's conditioning in a form, whichever lane that names.
    func lanes(_ id: SessionID, _ form: LaneForm) -> Set<Int> {
        notes.withLock { notes in
            let forms = notes[id]?.keys.keys.filter { $0.on(form.lane) == form } ?? []
            return Set(forms.map(\.lane))
        }
    }

    /// Remembers a key. Returns whether it is new.
    func note(_ key: ContentKey, of id: SessionID, _ form: LaneForm) -> Bool {
        notes.withLock { notes in
            notes[id, default: Note()].keys.updateValue(key, forKey: form) == nil
        }
    }

    /// Remembers how large the session's conditioning is.
    func note(bytes: Int, of id: SessionID) {
        notes.withLock { $0[id]?.bytes = bytes }
    }

    /// Counts a frame.
    func countFrame(of id: SessionID) {
        notes.withLock { $0[id]?.frames += 1 }
    }

    /// Sessions of which something is remembered.
    var count: Int { notes.withLock { $0.count } }

    /// Bytes of its conditioning and frames made, as far as is known.
    func counts(_ id: SessionID) -> (bytes: Int, frames: Int) {
        notes.withLock { ($0[id]?.bytes ?? 0, $0[id]?.frames ?? 0) }
    }

    /// Forgets a session.
    ///
    /// - Returns: The keys of its conditioning.
    func forget(_ id: SessionID) -> [ContentKey] {
        notes.withLock { notes in
            notes.removeValue(forKey: id).map { Array($0.keys.values) } ?? []
        }
    }
}
