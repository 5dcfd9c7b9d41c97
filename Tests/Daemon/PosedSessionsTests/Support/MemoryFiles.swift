import PosedGuarded
import PosedSessions

/// A directory in memory that can run out of room, become read-only, die at any step, and lose
/// power.
final class MemoryFiles: StateFiles {
    /// A step that changes something, or that makes a change last.
    enum Step: Hashable, Sendable {
        case create, write, synchronize, close, rename, remove, synchronizeDirectory
    }

    private struct Content {
        var bytes: [UInt8] = []
        /// How much of it would survive a loss of power.
        var synchronized = 0
    }

    /// A change of the directory that a loss of power may undo.
    private enum Change {
        case add(String, Int)
        case rename(String, String)
        case remove(String)
    }

    private struct State {
        var contents: [Content] = []
        var names: [String: Int] = [:]
        var lasting: [String: Int] = [:]
        var changes: [Change] = []
        var steps: [Step] = []
        /// The step at which the process dies.
        var deadline: Int?
        var isDead = false
        var room = Int.max
        var failures: [Step: StorageError.Code] = [:]
        var openFiles = 0
    }

    let place = "memory"
    private let state: Guarded<State>

    init() { state = Guarded(State()) }

    private init(_ files: [String: [UInt8]]) {
        var state = State()
        for (name, bytes) in files {
            state.names[name] = state.contents.count
            state.contents.append(Content(bytes: bytes, synchronized: bytes.count))
        }
        state.lasting = state.names
        self.state = Guarded(state)
    }

    // What tests do to it.

    /// The steps so far.
    var steps: [Step] { state.withLock { $0.steps } }
    /// Files that were not closed.
    var openFiles: Int { state.withLock { $0.openFiles } }
    /// Whether the process has died.
    var isDead: Bool { state.withLock { $0.isDead } }

    /// Lets the process die when it takes its step of this number, before or after it has effect.
    func die(atStep step: Int) { state.withLock { $0.deadline = step } }

    /// Lets every step of a kind fail; nil lets it succeed again.
    func fail(_ step: Step, with code: StorageError.Code?) {
        state.withLock { $0.failures[step] = code }
    }

    /// Leaves room for so many bytes in all.
    func limit(toBytes room: Int) { state.withLock { $0.room = room } }

    /// What is in a file, by its text.
    subscript(name: String) -> [UInt8]? {
        get { state.withLock { state in state.names[name].map { state.contents[$0].bytes } } }
        set {
            state.withLock { state in
                state.names[name] = newValue.map { _ in state.contents.count }
                guard let newValue else { return }
                state.contents.append(
                    Content(bytes: newValue, synchronized: newValue.count))
            }
        }
    }

    /// All names.
    var all: [String] { state.withLock { $0.names.keys.sorted() } }

    /// The directory as the next process finds it after this one was killed.
    func afterKill() -> MemoryFiles {
        state.withLock { state in
            MemoryFiles(state.names.mapValues { state.contents[$0].bytes })
        }
    }

    /// The directory as the next process may find it after a loss of power: of what was not
    /// synchronized, a part of the bytes and any of the changes of names.
    func afterPowerLoss(using generator: inout SeededGenerator) -> MemoryFiles {
        state.withLock { state in
            var names = state.lasting
            for change in state.changes where Bool.random(using: &generator) {
                switch change {
                case .add(let name, let content): names[name] = content
                case .rename(let old, let new):
                    guard let content = names.removeValue(forKey: old) else { continue }
                    names[new] = content
                case .remove(let name): names[name] = nil
                }
            }
            return MemoryFiles(
                names.mapValues { number in
                    let content = state.contents[number]
                    let kept = Int.random(
                        in: content.synchronized...content.bytes.count, using: &generator)
                    let lost = content.bytes.count - kept
                    // Some file systems leave zeros where the bytes should be.
                    return content.bytes.prefix(kept)
                        + (Bool.random(using: &generator) ? [UInt8](repeating: 0, count: lost) : [])
                })
        }
    }

    // What the archive calls.

    func names() throws(StorageError) -> [String] {
        try state.withLock { state throws(StorageError) in
            guard !state.isDead else { throw Self.death }
            return state.names.keys.sorted() + ["lock", "README", "..session"]
        }
    }

    func read(_ name: StateFileName, upTo limit: Int) throws(StorageError) -> [UInt8] {
        try state.withLock { state throws(StorageError) in
            guard !state.isDead else { throw Self.death }
            guard let content = state.names[name.text] else {
                throw StorageError(.missing, "\(name.text): no such file")
            }
            return Array(state.contents[content].bytes.prefix(limit))
        }
    }

    func create(_ name: StateFileName) throws(StorageError) -> StateFileHandle {
        try step(.create) { state throws(StorageError) in
            guard state.names[name.text] == nil else {
                throw StorageError(.unwritable, "\(name.text): exists")
            }
            state.contents.append(Content())
            let number = state.contents.count - 1
            state.names[name.text] = number
            state.changes.append(.add(name.text, number))
            state.openFiles += 1
            return StateFileHandle(descriptor: Int32(number))
        }
    }

    func write(_ bytes: [UInt8], to file: StateFileHandle) throws(StorageError) {
        try step(.write) { state throws(StorageError) in
            let number = Int(file.descriptor)
            let used = state.names.values.reduce(0) { $0 + state.contents[$1].bytes.count }
            state.contents[number].bytes += bytes.prefix(max(0, state.room - used))
            guard used + bytes.count <= state.room else {
                throw StorageError(.diskFull, "memory: no space left")
            }
        }
    }

    func synchronize(_ file: StateFileHandle) throws(StorageError) {
        try step(.synchronize) { state throws(StorageError) in
            let number = Int(file.descriptor)
            state.contents[number].synchronized = state.contents[number].bytes.count
        }
    }

    func close(_ file: StateFileHandle) throws(StorageError) {
        state.withLock { $0.openFiles -= 1 }
        try step(.close) { _ throws(StorageError) in }
    }

    func rename(_ name: StateFileName, to newName: StateFileName) throws(StorageError) {
        try step(.rename) { state throws(StorageError) in
            guard let content = state.names.removeValue(forKey: name.text) else {
                throw StorageError(.unwritable, "\(name.text): no such file")
            }
            state.names[newName.text] = content
            state.changes.append(.rename(name.text, newName.text))
        }
    }

    func remove(_ name: StateFileName) throws(StorageError) {
        try step(.remove) { state throws(StorageError) in
            guard state.names.removeValue(forKey: name.text) != nil else { return }
            state.changes.append(.remove(name.text))
        }
    }

    func synchronizeDirectory() throws(StorageError) {
        try step(.synchronizeDirectory) { state throws(StorageError) in
            state.lasting = state.names
            state.changes = []
        }
    }

    private static var death: StorageError { StorageError(.unwritable, "the process is dead") }

    /// One step; a process that dies there may have half written, and does nothing after it.
    private func step<Value: Sendable>(
        _ step: Step, _ body: (inout State) throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        try state.withLock { state throws(StorageError) in
            guard !state.isDead else { throw Self.death }
            state.steps.append(step)
            if state.steps.count == state.deadline {
                state.isDead = true
                if step == .write { state.room = Int.random(in: 0...200) }
                // An odd step has its effect before the end, an even one has not.
                if state.steps.count % 2 == 1 || step == .write { _ = try? body(&state) }
                throw Self.death
            }
            if let code = state.failures[step] {
                throw StorageError(code, "memory: the step fails")
            }
            return try body(&state)
        }
    }
}
