import PosedRPC
import Testing

@Suite("Decisions about reading and writing")
struct StateTests {
    /// What an inbox answered, to be compared.
    private func ask(_ inbox: inout MessageInbox) -> String {
        switch inbox.ask() {
        case .read: "read"
        case .wait: "wait"
        case .refuse: "refuse"
        case .deliver(.message(let bytes)): "message \(bytes.array)"
        case .deliver(.end): "end"
        case .deliver(.failed): "failed"
        }
    }

    @Test("a reader who gives up loses no message")
    func abandonedRead() {
        var inbox = MessageInbox()
        let first = ask(&inbox)
        let (given, again) = (inbox.abandon(), inbox.abandon())
        let awaited = inbox.arrive(.message(MessageBytes([1])))
        #expect((first, given, again, awaited) == ("read", true, false, false))
        let (kept, next) = (ask(&inbox), ask(&inbox))
        #expect((kept, next) == ("message [1]", "read"))
    }

    @Test("a second reader joins a read that was given up, but not one that is awaited")
    func secondReader() {
        var inbox = MessageInbox()
        let (first, second) = (ask(&inbox), ask(&inbox))
        #expect((first, second) == ("read", "refuse"))
        let given = inbox.abandon()
        let third = ask(&inbox)
        let awaited = inbox.arrive(.message(MessageBytes()))
        #expect((given, third, awaited) == (true, "wait", true))
    }

    @Test("the end is told to everyone who asks, without another read")
    func end() {
        var inbox = MessageInbox()
        let first = ask(&inbox)
        let awaited = inbox.arrive(.end)
        #expect((first, awaited) == ("read", true))
        let asked = (0..<3).map { _ in ask(&inbox) }
        #expect(asked == ["end", "end", "end"])
        let (given, late) = (inbox.abandon(), inbox.arrive(.failed))
        #expect((given, late) == (false, false))
    }

    @Test("a glimpse reads ahead by one message, which nobody loses")
    func glimpse() {
        var inbox = MessageInbox()
        let before = (inbox.glimpse(), inbox.glimpse())
        #expect(before == (.read, .wait))
        let awaited = inbox.arrive(.message(MessageBytes([1])))
        let after = inbox.glimpse()
        #expect((awaited, after) == (false, .goesOn))
        let (kept, next) = (ask(&inbox), ask(&inbox))
        #expect((kept, next) == ("message [1]", "read"))
        let reading = inbox.glimpse()
        _ = inbox.arrive(.end)
        let ended = inbox.glimpse()
        #expect((reading, ended) == (.goesOn, .over))
    }

    @Test("messages go out one at a time in the order of asking")
    func order() {
        var outbox = MessageOutbox()
        let offers = (0..<3).map { _ in outbox.offer() }
        #expect(offers == [.send(1), .queue(2), .queue(3)])
        outbox.abandon(2)
        let first = outbox.complete(success: true)
        #expect((first.done, first.next) == (1, 3))
        let second = outbox.complete(success: true)
        #expect((second.done, second.next) == (3, nil))
        #expect(!outbox.isSending)
        let last = outbox.offer()
        #expect(last == .send(4))
    }

    @Test("after a failure nobody can write")
    func failure() {
        var outbox = MessageOutbox()
        _ = (outbox.offer(), outbox.offer())
        let step = outbox.complete(success: false)
        #expect((step.done, step.next) == (1, nil))
        #expect(step.failed == [2])
        let late = outbox.offer()
        #expect(late == .refuse)
    }

    @Test("closing fails those in line, not the one under way")
    func closing() {
        var outbox = MessageOutbox()
        _ = (outbox.offer(), outbox.offer())
        let failed = outbox.close()
        #expect(failed == [2])
        #expect(outbox.isSending)
        let late = outbox.offer()
        let step = outbox.complete(success: true)
        #expect(late == .refuse)
        #expect((step.done, step.next) == (1, nil))
    }

    @Test("only the greeting of HTTP/2 is one")
    func greeting() {
        let whole = Greeting.expected
        #expect(Greeting.judge(whole) == .welcome)
        for count in 0..<whole.count {
            #expect(Greeting.judge(whole.prefix(count)) == .undecided)
            var wrong = Array(whole.prefix(count + 1))
            wrong[count] ^= 1
            #expect(Greeting.judge(wrong) == .wrong)
        }
    }

    @Test("a queue that gets no thread is gone, and was shut down once")
    func queueWithoutThread() async {
        let objectCounts = ObjectCounts()
        for _ in 0..<100 {
            let error = #expect(throws: RPCError.self) {
                try CompletionQueue(name: "none", objectCounts: objectCounts) {
                    (_, _) throws(RPCError) in throw RPCError(.resourceExhausted, "no thread")
                }
            }
            #expect(error?.code == .resourceExhausted)
        }
        await objectCounts.settled()
    }
}
