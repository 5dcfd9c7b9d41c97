package import ArgumentParser
package import PosedVision

/// How pictures of the person are brought to the model's aspect.
package struct FramingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What is done to a source of another aspect than the picture that is made: stretch, crop or pad; "
                + "without it what the model says.", valueName: "fit"),
        transform: PictureFit.parsed)
    package var fit: PictureFit?

    @Option(
        help: ArgumentHelp(
            "Where the person is in --source, in pixels; once for each source.",
            valueName: "x,y,w,h"),
        transform: PictureBox.parsed)
    package var box: [PictureBox] = []

    package init() {}

    /// The box of each source; nil for one without. Throws `ValidationError` for more boxes than sources.
    package func boxes(of sources: [String]) throws -> [PictureBox?] {
        guard box.count <= sources.count else {
            throw ValidationError(
                "--box: at most one for each of \(sources.count) sources expected, but there are \(box.count)"
            )
        }
        return sources.indices.map { $0 < box.count ? box[$0] : nil }
    }
}

extension PictureFit {
    /// The fit that an option names. Throws `ValidationError`, which says what is expected.
    @Sendable fileprivate static func parsed(_ text: String) throws -> PictureFit {
        guard let fit = PictureFit(rawValue: text) else {
            throw ValidationError("expected stretch, crop or pad")
        }
        return fit
    }
}

extension PictureBox {
    /// The box that an option gives. Throws `ValidationError`, which says what is expected.
    @Sendable fileprivate static func parsed(_ text: String) throws -> PictureBox {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false)
            .map { Int32($0).map(Int.init) }
        guard numbers.count == 4, let x = numbers[0], let y = numbers[1], let width = numbers[2],
            let height = numbers[3], width > 0, height > 0
        else {
            throw ValidationError("expected x,y,width,height in pixels, such as 210,40,300,620")
        }
        return PictureBox(x: x, y: y, width: width, height: height)
    }
}
