package import PosedPipeline
import PosedModels
import PosedSolvers
package import PosedVision

/// Makes the pictures of pairs with a model, several at a time. A source that several pairs in a row share is
/// encoded once.
package final class PairMaker {
    /// The pictures of one pair, all of the pipeline's size.
    package struct Pictures {
        /// The picture of each subject.
        package let subjects: [Subject: Image]
        /// The picture that they are measured against.
        package let target: Image
        /// The pose as the model saw it.
        package let pose: Image
        /// The pixels that masked measures look at.
        package let mask: Mask?
    }

    private let pipeline: Pipeline
    private let reconstructor: Pipeline
    private let data: PairSet
    private let settings: SamplingSettings
    private var last: (name: String, picture: Image, condition: Source)?

    private typealias Source = SourceCondition

    /// The inputs of a pair, before it is sampled.
    private struct Prepared {
        let copy: Image
        let target: Image
        let pose: Image
        let mask: Mask?
        let condition: RowCondition
    }

    /// A maker of the pairs of `data`.
    ///
    /// - Parameters:
    ///   - reconstructor: Whose autoencoder the targets go through; nil for the model's own.
    ///   - settings: How to sample; pair i, counted from 0, has the seed `settings.seed` + i.
    package init(
        _ pipeline: Pipeline, reconstructor: Pipeline? = nil, data: PairSet,
        settings: SamplingSettings
    ) {
        self.pipeline = pipeline
        self.reconstructor = reconstructor ?? pipeline
        self.data = data
        self.settings = settings
    }

    /// Makes the pictures of pairs in one batch; what is wrong with one pair is its result.
    ///
    /// - Throws: `PipelineError`, `SolverError` or `BackendError` when a step fails for all of them.
    package func make(_ indices: [Int]) throws -> [Result<Pictures, any Error>] {
        let prepared = try indices.map { index in try result { try prepare(index) } }
        let ready = zip(indices, prepared).compactMap { index, result in
            (try? result.get()).map { (index: index, pair: $0) }
        }
        var outputs = try sample(ready.map(\.index), ready.map(\.pair.condition)).makeIterator()
        return try prepared.map { prepared in
            switch prepared {
            case .failure(let error): return .failure(error)
            case .success(let pair):
                return try result { try finish(pair, outputs.next()) }
            }
        }
    }

    private func finish(
        _ pair: Prepared, _ output: Result<Image, PipelineError>?
    ) throws -> Pictures {
        guard let output else { throw PipelineError(.diverged, "no picture was made") }
        let reconstruction = try reconstructor.decode(try reconstructor.latents([pair.target]))[0]
        return Pictures(
            subjects: [
                .output: try output.get(), .copy: pair.copy, .reconstruction: reconstruction,
            ], target: pair.target, pose: pair.pose, mask: pair.mask)
    }

    /// Samples pairs in one batch, each with the noise of its own seed.
    private func sample(
        _ indices: [Int], _ conditions: [RowCondition]
    ) throws -> [Result<Image, PipelineError>] {
        guard !indices.isEmpty else { return [] }
        let size = pipeline.latentSize
        let channels = pipeline.model.autoencoder.latentChannels
        let noise = indices.flatMap { index in
            GaussianNoise.make(
                count: channels * size.height * size.width,
                seed: settings.seed &+ UInt64(index))
        }
        return try pipeline.decodeEach(
            try pipeline.sample(conditions, settings, noise: noise).latents, of: conditions)
    }

    private func prepare(_ index: Int) throws -> Prepared {
        let pair = data.pairs[index]
        let (source, copy) = try source(pair.source)
        let full = try data.picture(pair.target)
        let pose = try data.pose(of: pair, full)
        return Prepared(
            copy: copy, target: try sized(full),
            pose: try pipeline.picture(of: pose),
            mask: try pair.mask.map { name in
                try Mask(Image(file: data.path(name)))
                    .resized(width: pipeline.width, height: pipeline.height)
            }, condition: try pipeline.condition(source, try pipeline.pose(pose)))
    }

    private func source(_ name: String) throws -> (Source, Image) {
        if let last, last.name == name { return (last.condition, last.picture) }
        let picture = try sized(try data.picture(name))
        let condition = try pipeline.source([picture])
        last = (name, picture, condition)
        return (condition, picture)
    }

    private func sized(_ picture: Image) throws -> Image {
        try picture.resized(width: pipeline.width, height: pipeline.height)
    }

    /// What a step for one pair comes to; errors that are not of the pair are thrown.
    private func result<Value>(_ body: () throws -> Value) throws -> Result<Value, any Error> {
        do {
            return .success(try body())
        } catch let error as VisionError {
            return .failure(error)
        } catch let error as EvaluationError {
            return .failure(error)
        } catch let error as PipelineError {
            return .failure(error)
        }
    }
}
