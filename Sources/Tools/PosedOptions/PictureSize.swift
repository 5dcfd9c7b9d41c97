import ArgumentParser

/// A width and a height in pixels, written `256x256`.
package struct PictureSize: ExpressibleByArgument, Equatable {
    package let width: Int
    package let height: Int

    package init?(argument: String) {
        let sides = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false)
        guard sides.count == 2, let width = Int(sides[0]), let height = Int(sides[1]), width > 0,
            height > 0
        else { return nil }
        self.width = width
        self.height = height
    }

    package var defaultValueDescription: String { "\(width)x\(height)" }
}
