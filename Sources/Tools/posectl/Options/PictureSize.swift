import ArgumentParser

/// A width and a height in pixels, written `256x256`.
struct PictureSize: ExpressibleByArgument, Equatable {
    let width: Int32
    let height: Int32

    init?(argument: String) {
        let parts = argument.lowercased().split(
            separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let width = Int32(parts[0]), let height = Int32(parts[1]),
            width > 0, height > 0
        else { return nil }
        self.width = width
        self.height = height
    }
}
