import PosedErrors
import PosedServing
import Testing

import PosedService

@Suite struct StreamLedgerTests {
    private func entry(_ sequence: UInt64) -> StreamLedger.Entry {
        StreamLedger.Entry(sequence: sequence, format: .png, readTime: .zero)
    }

    @Test func numbersRise() {
        var ledger = StreamLedger(capacity: 4)
        #expect(ledger.follow(0) == nil)
        #expect(
            ledger.follow(0)?.description == "sequence: expected a number greater than 0, got 0")
        #expect(ledger.follow(5) == nil)
        #expect(ledger.follow(4) != nil)
        #expect(ledger.follow(6) == nil)
        #expect(ledger.follow(.max) == nil)
        #expect(ledger.follow(.max) != nil)
    }

    @Test func answersComeInTheOrderOfThePoses() {
        var ledger = StreamLedger(capacity: 3)
        #expect(ledger.answer() == nil)
        for round in 0..<50 {
            let base = UInt64(round) * 10
            ledger.take(entry(base))
            ledger.take(entry(base + 1))
            #expect(ledger.hasRoom)
            ledger.take(entry(base + 2))
            #expect(!ledger.hasRoom)
            #expect(ledger.answer() == entry(base))
            #expect(ledger.hasRoom)
            #expect(ledger.count == 2)
            #expect(ledger.answer() == entry(base + 1))
            #expect(ledger.answer() == entry(base + 2))
            #expect(ledger.answer() == nil)
        }
    }

    @Test func theOrderHoldsWhileItIsNeverEmpty() {
        var ledger = StreamLedger(capacity: 3)
        ledger.take(entry(0))
        for sequence: UInt64 in 1...100 {
            ledger.take(entry(sequence))
            #expect(ledger.answer() == entry(sequence - 1))
            #expect(ledger.count == 1)
        }
    }
}
