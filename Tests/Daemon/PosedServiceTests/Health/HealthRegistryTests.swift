import Testing

import PosedService

@Suite(.timeLimit(.minutes(10))) struct HealthRegistryTests {
    @Test func nothingServesInTheBeginning() {
        let registry = HealthRegistry(services: ["a", "b"])
        #expect(registry.status(of: "") == .notServing)
        #expect(registry.status(of: "a") == .notServing)
        #expect(registry.status(of: "c") == nil)
    }

    @Test func servicesAreSetOneByOneOrAll() {
        let registry = HealthRegistry(services: ["a", "b"])
        registry.set(.serving, of: "a")
        #expect(registry.status(of: "a") == .serving)
        #expect(registry.status(of: "b") == .notServing)
        registry.set(.serving)
        #expect(registry.status(of: "b") == .serving)
        #expect(registry.status(of: "") == .serving)
        registry.set(.serving, of: "new")
        #expect(registry.status(of: "new") == nil)
    }

    @Test func watchersHearOfChanges() async {
        let registry = HealthRegistry(services: ["a"])
        var changes = registry.watch("a").makeAsyncIterator()
        #expect(await changes.next() == .some(.notServing))
        registry.set(.serving)
        #expect(await changes.next() == .some(.serving))
        registry.set(.serving)
        registry.set(.notServing)
        #expect(await changes.next() == .some(.notServing))
    }

    @Test func aWatcherOfNothingHearsThatItIsNothing() async {
        let registry = HealthRegistry(services: ["a"])
        var changes = registry.watch("b").makeAsyncIterator()
        #expect(await changes.next() == .some(nil))
    }

    @Test func slowWatchersHearTheLastOnly() async {
        let registry = HealthRegistry(services: ["a"])
        var changes = registry.watch("a").makeAsyncIterator()
        for _ in 0..<10 {
            registry.set(.serving)
            registry.set(.notServing)
        }
        registry.set(.serving)
        #expect(await changes.next() == .some(.serving))
    }

    @Test func theEndIsHeardAndIsTheEnd() async {
        let registry = HealthRegistry(services: ["a"])
        registry.set(.serving)
        var changes = registry.watch("a").makeAsyncIterator()
        #expect(await changes.next() == .some(.serving))
        registry.finish()
        registry.set(.serving)
        #expect(registry.status(of: "a") == .notServing)
        #expect(await changes.next() == .some(.notServing))
        #expect(await changes.next() == nil)
        var late = registry.watch("a").makeAsyncIterator()
        #expect(await late.next() == .some(.notServing))
        #expect(await late.next() == nil)
    }

    @Test func watchersWhoAreGoneAreForgotten() async {
        let registry = HealthRegistry(services: ["a"])
        let watching = Task { for await _ in registry.watch("a") {} }
        while registry.watcherCount == 0 { await Task.yield() }
        watching.cancel()
        await watching.value
        #expect(registry.watcherCount == 0)
    }
}
