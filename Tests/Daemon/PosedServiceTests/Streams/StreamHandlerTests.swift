import Foundation
import PosedErrors
import PosedProtos
import PosedServing
import PosedVision
import SwiftProtobuf
import Testing

import PosedService

@Suite(.timeLimit(.minutes(10))) struct StreamHandlerTests {
    @Test func posesAreAnsweredInTheirOrder() async throws {
        let conversation = try await Conversation()
        conversation.start { $0.settings.seed = 5 }
        for sequence: UInt64 in [1, 2, 7] { conversation.pose(sequence) }
        conversation.finish()
        try await conversation.serve()
        let answers = await conversation.answers()
        #expect(answers.map(\.sequence) == [0, 1, 2, 7])
        #expect(answers[0].started.settings.seed == 5)
        for answer in answers.dropFirst() {
            #expect(answer.frame.image.raw.rgb == Data(repeating: 5, count: 12))
            #expect(answer.frame.used.seed == 5)
            #expect(answer.frame.cache.source)
            #expect(answer.frame.timings.solve.nanos == 3_000_000)
            #expect(answer.frame.timings.hasTotal)
        }
        #expect(conversation.serving.stream?.isFinished == true)
    }

    @Test func theStartSaysWhatHolds() async throws {
        let conversation = try await Conversation()
        conversation.start {
            $0.maxLag = Google_Protobuf_Duration(nanos: 5)
            $0.warmStart = 0.25
        }
        conversation.finish()
        try await conversation.serve()
        let options = try #require(conversation.serving.stream).options
        #expect(options.session == "sessions/1")
        #expect(options.maxLag == .nanoseconds(5))
        #expect(options.warmStart == 0.25)
    }

    @Test func aPoseMayDifferFromItsStream() async throws {
        let conversation = try await Conversation()
        conversation.start { $0.settings.seed = 5 }
        conversation.pose(1) {
            $0.settings.seed = 6
            $0.settings.imageFormat = .png
        }
        conversation.pose(2)
        conversation.finish()
        try await conversation.serve()
        let answers = await conversation.answers()
        #expect(answers[1].frame.used.seed == 6)
        #expect(try answers[1].frame.image.image(at: "image", maxSide: 9).width == 2)
        #expect(!answers[1].frame.image.png.isEmpty)
        #expect(answers[2].frame.used.seed == 5)
        #expect(answers[2].frame.image.png.isEmpty)
    }

    @Test func theSessionSaysHowPicturesAreSentWhereNobodyElseDoes() async throws {
        let conversation = try await Conversation()
        conversation.start { $0.settings.imageFormat = .unspecified }
        conversation.pose(1)
        conversation.finish()
        try await conversation.serve()
        #expect(await conversation.answers()[1].frame.image.png.isEmpty == false)
        let other = try await Conversation()
        other.serving.with { $0.sessions[0].session.defaults.format = .raw }
        other.start { $0.settings.imageFormat = .unspecified }
        other.pose(1)
        other.finish()
        try await other.serve()
        #expect(await other.answers()[1].frame.image.raw.width == 2)
    }

    @Test func whatIsWrongWithAPoseIsItsOwn() async throws {
        let conversation = try await Conversation()
        conversation.start()
        conversation.pose(1)
        conversation.pose(4) { $0.pose.keypoints.joints.removeLast(2) }
        conversation.pose(5) { $0.clearPose() }
        conversation.pose(6) { $0.settings.nfe = 0 }
        conversation.pose(7) { $0.pose.file = Data("nothing".utf8) }
        conversation.say(Conversation.Request())
        conversation.sayGarbage()
        conversation.pose(8)
        conversation.finish()
        try await conversation.serve()
        let answers = await conversation.answers()
        #expect(answers.map(\.sequence) == [0, 1, 4, 5, 6, 7, 0, 0, 8])
        #expect(answers.map(\.error.code) == [0, 0, 3, 3, 3, 3, 3, 3, 0])
        let messages = answers.map(\.error.message)
        #expect(
            messages[2]
                == "pose.pose.keypoints.joints: expected 17, 18, 25, 26, 33, 133, 136 joints, got 16"
        )
        #expect(
            messages[3]
                == "pose.pose: expected `keypoints`, `picture` or `file`, got none of them")
        #expect(messages[4] == "pose.settings.nfe: expected a number from 1 to 200, got 0")
        #expect(messages[5].hasPrefix("pose.pose.file: expected a picture, or a pose"))
        #expect(messages[6] == "a message with `pose` expected, got nothing known")
        #expect(messages[7] == "no message at all")
        #expect(conversation.serving.stream?.poses.count == 8)
    }

    @Test func supersededPosesSaySo() async throws {
        let answer = try await answer(to: .superseded(by: 9, waited: .milliseconds(8)))
        #expect(answer.superseded.supersededBy == 9)
        #expect(answer.superseded.waited.nanos == 8_000_000)
    }

    @Test func failuresOfTheEngineHaveTheirStatus() async throws {
        let answer = try await answer(to: .failed(RequestError(.resourceExhausted, "too many")))
        #expect(answer.error.code == 8)
        #expect(answer.error.message == "too many")
    }

    @Test func whatTheEngineRefusesIsNamed() async throws {
        let refusal = RequestError(.invalidArgument, "unknown", at: "settings.solver")
        let answer = try await answer(to: .failed(refusal))
        #expect(answer.error.code == 3)
        #expect(answer.error.message == "pose.settings.solver: unknown")

        let other = try await Conversation()
        other.serving.with { $0.failure = refusal }
        other.start()
        let error = await #expect(throws: RequestError.self) { try await other.serve() }
        #expect(error?.description == "start.settings.solver: unknown")
    }

    /// What a caller reads of a pose that comes to this, before he hangs up.
    private func answer(
        to outcome: StreamAnswer.Outcome
    ) async throws -> Conversation.Response {
        let conversation = try await Conversation(answering: .whenTold)
        conversation.start()
        conversation.pose(3)
        let call = Task { try await conversation.serve() }
        while conversation.serving.stream == nil { await Task.yield() }
        let stream = try #require(conversation.serving.stream)
        await stream.arrivals(1)
        stream.emit(StreamAnswer(sequence: 3, outcome: outcome))
        let answers = await conversation.answers(2)
        conversation.disappear()
        await #expect(throws: CancellationError.self) { try await call.value }
        return answers[1]
    }

    @Test(arguments: [false, true])
    func aStreamBeginsWithItsStart(hasPose: Bool) async throws {
        let conversation = try await Conversation()
        if hasPose { conversation.pose(1) }
        conversation.finish()
        let error = await #expect(throws: RequestError.self) { try await conversation.serve() }
        #expect(error?.code == .invalidArgument)
        #expect(conversation.serving.stream == nil)
    }

    @Test func aSecondStartEndsTheCall() async throws {
        let conversation = try await Conversation(answering: .whenTold)
        conversation.start()
        conversation.pose(1)
        conversation.start()
        let error = await #expect(throws: RequestError.self) { try await conversation.serve() }
        #expect(
            error?.description == "start: expected once, at the beginning of a stream, got another")
        #expect(conversation.serving.stream?.isCancelled == true)
    }

    @Test func unknownAndForeignSessionsDoNotExist() async throws {
        let conversation = try await Conversation()
        conversation.start { $0.session = "sessions/unknown" }
        let error = await #expect(throws: RequestError.self) { try await conversation.serve() }
        #expect(error?.code == .notFound)
        #expect(await conversation.answers().isEmpty)
    }

    @Test func halfClosingFlushes() async throws {
        let conversation = try await Conversation(answering: .whenTold)
        conversation.start()
        for sequence: UInt64 in 1...20 { conversation.pose(sequence) }
        conversation.finish()
        try await conversation.serve()
        #expect(await conversation.answers().map(\.sequence) == Array(0...20))
    }

    @Test func aClientThatIsGoneStopsTheWork() async throws {
        let conversation = try await Conversation(answering: .whenTold)
        conversation.start()
        conversation.pose(1)
        let call = Task { try await conversation.serve() }
        while conversation.serving.stream == nil { await Task.yield() }
        let stream = try #require(conversation.serving.stream)
        await stream.arrivals(1)
        call.cancel()
        await stream.cancellation()
        await #expect(throws: CancellationError.self) { try await call.value }
    }

    @Test func drainingAnswersWhatWasTakenAndEndsTheStream() async throws {
        let conversation = try await Conversation(answering: .whenTold)
        conversation.start()
        conversation.pose(1)
        conversation.pose(2)
        let call = Task { try await conversation.serve() }
        while conversation.serving.stream == nil { await Task.yield() }
        let stream = try #require(conversation.serving.stream)
        await stream.arrivals(2)
        conversation.drain.begin()
        let error = await #expect(throws: RequestError.self) { try await call.value }
        #expect(error?.code == .unavailable)
        #expect(await conversation.answers().map(\.sequence) == [0, 1, 2])
    }

    /// A message that is too large for the caller's share is answered with that, and the stream goes on.
    @Test func aMessageWithoutRoomIsItsOwnAnswer() async throws {
        let conversation = try await Conversation()
        conversation.start()
        conversation.pose(1)
        conversation.say(failing: RequestError(.resourceExhausted, "too large"))
        conversation.pose(2)
        conversation.finish()
        try await conversation.serve()
        let answers = await conversation.answers()
        #expect(answers.map(\.sequence) == [0, 1, 0, 2])
        #expect(answers.map(\.error.code) == [0, 0, 8, 0])
        #expect(answers[2].error.message == "too large")
    }
}
