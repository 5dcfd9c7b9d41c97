import PosedModels
import PosedVision

extension PoseModel {
    /// Why a model cannot make pictures of a size.
    package struct SizeProblem: Sendable {
        /// A side of a picture.
        package enum Side: String, Sendable {
            case width, height
        }

        /// The side at fault.
        package let side: Side
        /// What was expected, and what came.
        package let message: String
    }

    /// The longest side of a picture that any model makes, in pixels.
    private static let mostPixels = 4096

    /// What the sides of pictures must be multiples of.
    package var sizeMultiple: Int {
        autoencoder.downsampling * transformer.form.patchSize
    }

    /// Why the model cannot make pictures of that size, in pixels; nil where it can.
    package func problem(width: Int, height: Int) -> SizeProblem? {
        for (side, extent) in [(SizeProblem.Side.width, width), (.height, height)]
        where extent < sizeMultiple || extent > Self.mostPixels || extent % sizeMultiple != 0 {
            return SizeProblem(
                side: side,
                message: "the \(side.rawValue) must be a multiple of \(sizeMultiple) up to "
                    + "\(Self.mostPixels) pixels, but it is \(extent)")
        }
        let own = pictureSize
        if transformer.form.isSizeFixed, (width, height) != own {
            return SizeProblem(
                side: width == own.width ? .height : .width,
                message: "this model makes pictures of \(own.width) × \(own.height) pixels alone, "
                    + "but \(width) × \(height) were asked for")
        }
        for (name, encoder) in [("source", sourceEncoder), ("pose", poseEncoder)] {
            if let problem = encoder.problem(name, width: width, height: height) { return problem }
        }
        return nil
    }
}

extension PoseModel.ImageEncoder {
    /// Why the encoder cannot see pictures of that size: what its preprocessor makes of them is smaller than a
    /// patch, or a sliver that would be enlarged beyond all bounds.
    fileprivate func problem(_ name: String, width: Int, height: Int) -> PoseModel.SizeProblem? {
        let patch = patchSize
        let seen = preprocessor.outputSize(width: width, height: height)
        let sides: [(PoseModel.SizeProblem.Side, Int)] = [
            (.width, seen.width), (.height, seen.height),
        ]
        for (side, extent) in sides where extent < patch {
            return PoseModel.SizeProblem(
                side: side,
                message: "the \(name) encoder sees pictures of \(width) × \(height) in "
                    + "\(seen.width) × \(seen.height) pixels, but its patches have \(patch) a side")
        }
        guard preprocessor.canPrepare(width: width, height: height) else {
            return PoseModel.SizeProblem(
                side: width > height ? .width : .height,
                message: "pictures of \(width) × \(height) are too long and narrow for the "
                    + "\(name) encoder, which enlarges their shorter side")
        }
        return nil
    }
}
