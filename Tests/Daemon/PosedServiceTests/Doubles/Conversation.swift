import PosedAccounts
import PosedGuarded
import PosedProtos
import PosedRPC
import PosedService
import PosedServing

/// A stream's handler and its client, face to face.
final class Conversation: Sendable {
    typealias Request = Posed_V1_StreamSynthesizeRequest
    typealias Response = Posed_V1_StreamSynthesizeResponse

    let serving: FakeServing
    let drain = Drain()
    private let requests: AsyncThrowingStream<Result<Request, any Error>, any Error>
    private let client: AsyncThrowingStream<Result<Request, any Error>, any Error>.Continuation
    private let responses: AsyncStream<Response>
    private let sent: AsyncStream<Response>.Continuation
    /// Whether the client reads; while it does not, the handler's `send` waits.
    private let gate: Gate

    /// A conversation with a room that has `sessions/1` of `ada`.
    init(answering: FakeFrameStream.Answering = .atOnce, reads: Bool = true) async throws {
        serving = FakeServing(answering: answering)
        _ = try await serving.createSession(NewSession(sources: []), owner: "ada")
        (requests, client) = AsyncThrowingStream.makeStream()
        (responses, sent) = AsyncStream.makeStream()
        gate = Gate(isOpen: reads)
    }

    /// Serves until the call is over.
    func serve() async throws {
        let codec = PictureCodec(workers: Workers(threads: 1))
        let account = Accounts().account(of: .identity("ada"))
        let service = SynthesisService(serving: serving, codec: codec, drain: drain)
        let inbox = Inbox(requests)
        defer { sent.finish() }
        try await service.stream(PosedService.Caller(owner: "ada", account: account)) {
            try await inbox.next().map {
                Received(message: try $0.get(), hold: try account.take(.bytes, 1))
            }
        } send: { [gate, sent] response in
            try await gate.pass()
            sent.yield(response)
        }
    }

    func say(_ request: Request) { client.yield(.success(request)) }
    func sayGarbage() { client.yield(.failure(RPCError(.invalidArgument, "no message at all"))) }
    func say(failing error: any Error) { client.yield(.failure(error)) }
    func finish() { client.finish() }
    func disappear() { client.finish(throwing: CancellationError()) }
    func startReading() { gate.open() }

    /// A start of `sessions/1`.
    func start(_ change: (inout Posed_V1_StreamStart) -> Void = { _ in }) {
        var request = Request()
        request.start.session = "sessions/1"
        request.start.settings.imageFormat = .rawRgb8
        change(&request.start)
        say(request)
    }

    /// A good pose.
    func pose(_ sequence: UInt64, _ change: (inout Posed_V1_StreamPose) -> Void = { _ in }) {
        var request = Request()
        request.pose.sequence = sequence
        request.pose.pose = Poses.pose()
        change(&request.pose)
        say(request)
    }

    /// All that was answered, once the call is over.
    func answers() async -> [Response] {
        var all: [Response] = []
        for await response in responses { all.append(response) }
        return all
    }

    /// The first answers.
    func answers(_ count: Int) async -> [Response] {
        var all: [Response] = []
        for await response in responses {
            all.append(response)
            if all.count == count { break }
        }
        return all
    }
}

/// Reads a stream from whichever task asks.
private actor Inbox {
    typealias Element = Result<Posed_V1_StreamSynthesizeRequest, any Error>
    private let requests: AsyncThrowingStream<Element, any Error>

    init(_ requests: AsyncThrowingStream<Element, any Error>) { self.requests = requests }

    func next() async throws -> Element? {
        for try await element in requests { return element }
        try Task.checkCancellation()
        return nil
    }
}

/// Lets nobody pass until it is opened.
private final class Gate: Sendable {
    private let way: AsyncStream<Void>
    private let door: AsyncStream<Void>.Continuation

    init(isOpen: Bool) {
        (way, door) = AsyncStream.makeStream()
        if isOpen { door.finish() }
    }

    func open() { door.finish() }

    func pass() async throws {
        for await _ in way {}
        try Task.checkCancellation()
    }
}
