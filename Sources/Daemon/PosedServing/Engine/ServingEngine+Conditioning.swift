import PosedErrors
import PosedGuarded
import PosedScheduling
import PosedSessions
import PosedTensor
import PosedVision

extension ServingEngine {
    /// A source's conditioning in use, and how it came.
    struct Source: Sendable {
        let reference: ConditioningReference<any Conditioning>
        /// How long it was encoded, or waited for where another request had it encoded; 0 if it was there.
        let time: Duration
        /// Whether nothing had to be encoded for it.
        let isKept: Bool
    }

    /// Refuses pictures that no session may have.
    func check(_ pictures: [Image]) throws(RequestError) {
        let limits = limits
        guard (1...limits.maxSources).contains(pictures.count) else {
            throw RequestError(
                .invalidArgument,
                "1 to \(limits.maxSources) pictures of the person expected, but \(pictures.count) "
                    + "came", at: "sources")
        }
        for (index, picture) in pictures.enumerated()
        where max(picture.width, picture.height) > limits.maxSide {
            throw RequestError(
                .invalidArgument,
                "pictures of up to \(limits.maxSide) pixels a side expected, but picture "
                    + "\(index + 1) has \(picture.width) × \(picture.height)", at: "sources")
        }
    }

    /// Pictures brought to the aspect that their model takes in a form.
    func framed(
        _ pictures: [Image], _ said: SourceFraming, _ form: LaneForm
    ) async throws -> [Image] {
        let framing = framing(said, form)
        let boxes = said.boxes + Array(repeating: nil, count: pictures.count)
        if framing.fit == .stretch, boxes.allSatisfy({ $0 == nil }) { return pictures }
        let made = await HostWork.run { [framing] in
            Result {
                try zip(pictures, boxes).map { picture, box in
                    try framing.framed(picture, width: form.width, height: form.height, box: box)
                }
            }
        }
        do {
            return try made.get()
        } catch {
            throw RequestError(error, at: "sources")
        }
    }

    /// How pictures are framed where somebody said so, in a form of a model.
    func framing(_ said: SourceFraming, _ form: LaneForm) -> PictureFraming {
        var framing = served[form.model].framing
        framing.fit = said.fit ?? framing.fit
        return framing
    }

    /// The name of what these pictures come to in a form. Every owner has names of its own, so that no reply tells
    /// whether somebody else used the same pictures.
    func key(of pictures: [Image], _ form: LaneForm, owner: String) async throws(RequestError)
        -> ContentKey
    {
        let identity = served[form.model].identity
        let sized = try pictures.map { picture throws(RequestError) in
            try SourcePicture(
                width: picture.width, height: picture.height, pixels: picture.bytes)
        }
        return await HostWork.run {
            ContentKey.conditioning(
                pictures: sized, preprocessing: form.name,
                weights: [], numerics: identity, salt: owner)
        }
    }

    /// The name of what a pose comes to in a form; every owner has names of its own.
    func key(of pose: PoseInput, _ form: LaneForm, owner: String) async -> ContentKey {
        let identity = served[form.model].identity
        @Sendable func make(_ bytes: [UInt8], _ kind: String) -> ContentKey {
            ContentKey.pose(
                bytes, preprocessing: "\(kind) \(form.name)", weights: [],
                numerics: identity, salt: owner)
        }
        switch pose {
        case .keypoints(let keypoints):
            return make(keypoints.key(served[form.model].poseDrawer), "joints")
        case .picture(let picture):
            return await HostWork.run {
                make(picture.bytes, "picture of \(picture.width)x\(picture.height)")
            }
        }
    }

    /// The conditioning of pictures, from the cache or computed on the form's lane.
    ///
    /// What is there already is taken without a look at the clock: a timer for each call would outlive it,
    /// until the deadline.
    ///
    /// - Parameters:
    ///   - isOfSession: whether they are a session's, which another daemon may have encoded.
    ///   - due: when to give up waiting; the encoding goes on while others wait for it.
    func conditioning(
        of pictures: [Image], _ key: ContentKey, _ form: LaneForm, owner: String,
        isOfSession: Bool = false, due: ContinuousClock.Instant?
    ) async throws -> Source {
        let expected = served[form.model].conditioningBytes(
            width: form.width, height: form.height, sources: pictures.count)
        if let kept = try kept(key, owner: owner) { return kept }
        let account = account(of: owner)
        let start = lanePool.now
        let spent = Spent()
        let reference = try await within(due) { [self] in
            try await sources.reference(to: key, expectedBytes: expected, account: account) {
                [self] in
                if let restored = await restored(
                    key, form, owner: owner, isOfSession: isOfSession, due: due)
                {
                    spent.time.withLock { $0 = nil }
                    return restored
                }
                return try await encode(pictures, form, owner: owner, due: due, spent)
            }
        }
        let encoding = spent.time.withLock { $0 }
        let isKept =
            reference.origin == .kept || (reference.origin == .computed && encoding == nil)
        counters.cache("source", hit: isKept)
        let time =
            switch reference.origin {
            case .kept: Duration.zero
            case .joined: start.duration(to: lanePool.now)
            case .computed: encoding ?? .zero
            }
        return Source(reference: reference, time: time, isKept: isKept)
    }

    /// Takes in the source that an earlier process, or, for a session, another daemon saved under this key; nil where there
    /// is none, or where it cannot be used.
    private func restored(
        _ key: ContentKey, _ form: LaneForm, owner: String, isOfSession: Bool,
        due: ContinuousClock.Instant?
    ) async -> (any Conditioning)? {
        if let saved, let tensors = await saved.load(key) {
            let made = await restored(tensors, form, owner: owner, due: due) {
                saved.setAside(key, $0)
            }
            if let made { return made }
        }
        guard isOfSession, let sharedSources,
            let tensors = await sharedSources.load(key, owner: owner)
        else { return nil }
        return await restored(tensors, form, owner: owner, due: due) {
            sharedSources.refuse(key, $0)
        }
    }

    /// Has the lane take saved tensors in.
    ///
    /// - Parameter refuse: told why they cannot be used.
    private func restored(
        _ tensors: [HostTensor?], _ form: LaneForm, owner: String, due: ContinuousClock.Instant?,
        refuse: (String) -> Void
    ) async -> (any Conditioning)? {
        let job = LaneScheduler.Job(
            owner: owner, form: form, stages: [.source], rows: 0, evaluations: 0,
            received: lanePool.now, due: due)
        switch await run(job, .restore(tensors), owner: owner) {
        case .conditioning(let made, _): return made
        case .failed(let error) where error.code == .internal:
            refuse("\(error.cause ?? error)")
            return nil
        case .failed, .frame, .superseded: return nil
        }
    }

    /// The conditioning of that name, if the cache has it.
    func kept(_ key: ContentKey, owner: String) throws -> Source? {
        guard
            let kept = try sources.existingReference(to: key, account: account(of: owner))
        else { return nil }
        counters.cache("source", hit: true)
        return Source(reference: kept, time: .zero, isKept: true)
    }

    /// Has the lane encode pictures.
    private func encode(
        _ pictures: [Image], _ form: LaneForm, owner: String, due: ContinuousClock.Instant?,
        _ spent: Spent
    ) async throws -> any Conditioning {
        let job = LaneScheduler.Job(
            owner: owner, form: form, stages: [.source], rows: 0, evaluations: 0,
            received: lanePool.now, due: due)
        switch await run(job, .source(pictures), owner: owner) {
        case .conditioning(let made, let cost):
            spent.time.withLock { $0 = cost }
            return made
        case .failed(let error): throw error
        case .frame, .superseded:
            throw RequestError(.internal, "a source was encoded to something else")
        }
    }

    /// Has a job done by its form's lane. Cancelling the task stops it.
    func run(
        _ job: LaneScheduler.Job, _ work: LaneJob.Work, owner: String
    ) async -> LaneOutcome {
        let submission = LaneSubmission(lanePool[job.form])
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let job = LaneJob(job, work, account: account(of: owner)) {
                    continuation.resume(returning: $0)
                }
                do throws(RequestError) {
                    try submission.submit(job)
                } catch {
                    continuation.resume(returning: .failed(error))
                }
            }
        } onCancel: {
            submission.cancel()
        }
    }
}

extension Keypoints {
    /// What the picture of a pose depends on besides its size: all that the drawer draws.
    fileprivate func key(_ drawer: PoseDrawer) -> [UInt8] {
        let hands = drawer.hands ? [leftHand, rightHand] : []
        let parts = [points] + hands + (drawer.face ? [face] : [])
        var numbers = parts.flatMap { part in
            // Parts that are missing take no place, so each says how long it is.
            [Double(part.count)] + part.flatMap { [$0.x, $0.y, $0.confidence] }
        }
        switch units {
        case .unsaid: numbers.append(0)
        case .pixels: numbers.append(1)
        case .frame(let frame): numbers += [frame.left, frame.top, frame.width, frame.height]
        }
        return numbers.flatMap { number in
            withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) }
        }
    }
}

extension LaneForm {
    /// What results of encoding depend on, and where they lie.
    fileprivate var name: String { "\(width)x\(height)" + (lane == 0 ? "" : " on \(lane)") }
}

/// The time that a computation took, told by the one that began it; nil where nothing had to be encoded.
private final class Spent: Sendable {
    let time = Guarded<Duration?>(.zero)
}

/// Does something, but no longer than until then.
///
/// - Throws: `expired` when the time is up; then the task that does it has been cancelled.
func within<Value: Sendable>(
    _ deadline: ContinuousClock.Instant?, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    guard let deadline else { return try await body() }
    return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(until: deadline, clock: .continuous)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let value = first else {
            throw RequestError(
                .deadlineExceeded, "the deadline passed before the source was encoded")
        }
        return value
    }
}
