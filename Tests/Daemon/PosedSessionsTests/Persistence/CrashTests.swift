import PosedSessions
import Testing

/// A script of saves and removals, and a process that dies at every step of it: the next one finds
/// every session as it was before or as it was to be, and all that was promised.
@Suite struct CrashTests {
    typealias Vault = SessionVault<TestSettings>
    typealias State = [SessionID: Session<TestSettings>]

    /// What the script does, and how the directory is to look after each part of it.
    private struct Script {
        let steps: [SaveStep]
        let states: [State]

        init() throws {
            let first = try SessionVaultTests.session(1)
            let second = try SessionVaultTests.session(2)
            let third = try SessionVaultTests.session(3)
            let changed = try SessionVaultTests.changed(first)
            steps = [
                .save(first), .save(second), .save(changed), .remove(second.id), .save(third),
                .remove(first.id),
            ]
            var states: [State] = [[:]]
            for step in steps {
                var state = states.last ?? [:]
                switch step {
                case .save(let session): state[session.id] = session
                case .remove(let id): state[id] = nil
                }
                states.append(state)
            }
            self.states = states
        }
    }

    private enum SaveStep {
        case save(Session<TestSettings>)
        case remove(SessionID)
    }

    /// Runs the script as far as it goes; returns how many of its parts were done.
    private func run(_ script: Script, on files: MemoryFiles) -> Int {
        var vault = Vault(files, fingerprint: SessionVaultTests.fingerprint)
        _ = vault.restore()
        for (index, step) in script.steps.enumerated() {
            do throws(StorageError) {
                switch step {
                case .save(let session): try vault.save(session)
                case .remove(let id): try vault.remove(id)
                }
            } catch {
                return index
            }
        }
        return script.steps.count
    }

    private func restored(_ files: MemoryFiles) -> (State, Vault.Found) {
        var vault = Vault(files, fingerprint: SessionVaultTests.fingerprint)
        let found = vault.restore()
        return (State(found.sessions.map { ($0.id, $0) }) { first, _ in first }, found)
    }

    @Test func nothingIsTornWhereverTheProcessIsKilled() throws {
        let script = try Script()
        let whole = MemoryFiles()
        #expect(run(script, on: whole) == script.steps.count)
        #expect(whole.steps.count > 40)
        for deadline in 1...whole.steps.count {
            for _ in 0..<5 {
                let files = MemoryFiles()
                files.die(atStep: deadline)
                let done = run(script, on: files)
                #expect(files.isDead && done < script.steps.count)
                let next = files.afterKill()
                let (state, found) = restored(next)
                // What was done is there; what was under way is there as a whole, or not at all.
                #expect(
                    state == script.states[done] || state == script.states[done + 1],
                    "killed at step \(deadline)")
                #expect(found.reports.isEmpty, "killed at step \(deadline)")
                // Nothing is left lying about: two files for each session.
                #expect(next.all.count == 2 * state.count, "\(next.all)")
                // And the next process can go on.
                #expect(run(script, on: next) == script.steps.count)
                #expect(restored(next).0 == script.states.last)
            }
        }
    }

    @Test func whatWasPromisedSurvivesALossOfPower() throws {
        let script = try Script()
        let whole = MemoryFiles()
        _ = run(script, on: whole)
        var generator = SeededGenerator(seed: 11)
        for deadline in 1...whole.steps.count {
            for _ in 0..<20 {
                let files = MemoryFiles()
                files.die(atStep: deadline)
                let done = run(script, on: files)
                let (state, _) = restored(files.afterPowerLoss(using: &generator))
                let (before, after) = (script.states[done], script.states[done + 1])
                for id in Set(before.keys).union(after.keys).union(state.keys) {
                    // Nothing but what was under way may be in doubt, and that is never half there.
                    #expect(
                        state[id] == before[id] || state[id] == after[id],
                        "power lost at step \(deadline)")
                }
            }
        }
    }

    /// Each step fails in turn, at each time it is taken: the call throws, nothing is torn, and once
    /// the failure is over all can be written.
    @Test(arguments: [
        MemoryFiles.Step.create, .write, .synchronize, .close, .rename, .remove,
        .synchronizeDirectory,
    ])
    func failuresLeaveWhatWasThere(step: MemoryFiles.Step) throws {
        let first = try SessionVaultTests.session(1)
        let second = try SessionVaultTests.session(2)
        let changed = try SessionVaultTests.changed(first)
        let files = MemoryFiles()
        var vault = Vault(files, fingerprint: SessionVaultTests.fingerprint)
        try vault.save(first)
        files.fail(step, with: .unwritable)
        #expect(throws: StorageError.self) { try vault.save(second) }
        #expect(throws: StorageError.self) { try vault.save(changed) }
        #expect(files.openFiles == 0)
        let (state, found) = restored(files.afterKill())
        #expect(state[first.id] == first || state[first.id] == changed)
        #expect(state[second.id] == nil || state[second.id] == second)
        #expect(found.reports.isEmpty)
        files.fail(step, with: nil)
        try vault.save(second)
        try vault.save(changed)
        let (after, _) = restored(files)
        #expect(after == [first.id: changed, second.id: second])
        #expect(files.all.count == 4)
        // A removal that failed can be done again.
        files.fail(step, with: .unwritable)
        if [.remove, .synchronizeDirectory].contains(step) {
            #expect(throws: StorageError.self) { try vault.remove(first.id) }
        }
        files.fail(step, with: nil)
        try vault.remove(first.id)
        #expect(restored(files).0 == [second.id: second])
        #expect(files.all.count == 2)
    }

    /// A disk of every size up to enough: what fits is there, what does not is refused as a whole,
    /// and the room that it took is given back.
    @Test func aFullDiskLeavesWhatWasThere() throws {
        let first = try SessionVaultTests.session(1)
        let second = try SessionVaultTests.session(2)
        let files = MemoryFiles()
        var vault = Vault(files, fingerprint: SessionVaultTests.fingerprint)
        try vault.save(first)
        let used = files.all.reduce(0) { $0 + (files[$1]?.count ?? 0) }
        var enough = 0
        for room in used..<2 * used + 100 {
            let next = files.afterKill()
            var vault = Vault(next, fingerprint: SessionVaultTests.fingerprint)
            next.limit(toBytes: room)
            do throws(StorageError) {
                try vault.save(second)
                enough += 1
                #expect(next.all.count == 4)
            } catch {
                #expect(error.code == .diskFull && enough == 0)
                #expect(next.all.count == 2)
            }
            let (state, found) = restored(next)
            #expect(state[first.id] == first)
            #expect(found.reports.isEmpty)
        }
        #expect(enough > 0)
    }
}
