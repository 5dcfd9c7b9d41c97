import PosedServing
import Testing

import PosedService

@Suite(.timeLimit(.minutes(10))) struct StreamWindowTests {
    private let entry = StreamLedger.Entry(sequence: 1, format: .png, readTime: .zero)

    @Test func anAnswerThatWasSentMakesRoom() async {
        let window = StreamWindow(capacity: 1)
        #expect(await window.room())
        #expect(window.take(entry))
        let waiting = Task { await window.room() }
        #expect(window.answer() == entry)
        window.sent()
        #expect(await waiting.value)
    }

    @Test func closingTurnsThoseAwayWhoWait() async {
        let window = StreamWindow(capacity: 1)
        #expect(window.take(entry))
        let waiting = Task { await window.room() }
        window.close()
        #expect(await waiting.value == false)
        #expect(await window.room() == false)
        #expect(!window.take(entry))
        // What was taken is answered all the same.
        #expect(window.answer() == entry)
    }

    @Test func cancellingEndsTheWait() async {
        let window = StreamWindow(capacity: 1)
        #expect(window.take(entry))
        let waiting = Task { await window.room() }
        waiting.cancel()
        #expect(await waiting.value == false)
    }
}
