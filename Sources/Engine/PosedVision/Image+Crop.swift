extension Image {
    /// The part of the picture inside a box, in pixels. Throws `invalidSize` if the box reaches out.
    package func cropped(x: Int, y: Int, width newWidth: Int, height newHeight: Int) throws -> Image
    {
        guard x >= 0, y >= 0, newWidth > 0, newHeight > 0, newWidth <= width, newHeight <= height,
            x <= width - newWidth, y <= height - newHeight
        else {
            throw VisionError(
                .invalidSize,
                "a box of \(newWidth) × \(newHeight) at (\(x), \(y)) does not lie inside a picture "
                    + "of \(width) × \(height)")
        }
        return copied(
            x: x, y: y, width: newWidth, height: newHeight, toX: 0, toY: 0,
            canvasWidth: newWidth, canvasHeight: newHeight)
    }

    /// The middle of the picture; where it is too small, black is added around it.
    ///
    /// Offsets round as transformers' NumPy center crop does: the crop starts at
    /// ⌊(size − crop) / 2⌋, and an odd row or column of padding goes before the picture.
    package func centerCropped(width newWidth: Int, height newHeight: Int) throws -> Image {
        _ = try Image.byteCount(width: newWidth, height: newHeight)
        let horizontal = Image.centered(size: width, crop: newWidth)
        let vertical = Image.centered(size: height, crop: newHeight)
        return copied(
            x: horizontal.from, y: vertical.from, width: horizontal.count, height: vertical.count,
            toX: horizontal.to, toY: vertical.to, canvasWidth: newWidth, canvasHeight: newHeight)
    }

    /// Along one axis: the first sample taken, the place it goes to, and how many there are.
    private static func centered(size: Int, crop: Int) -> (from: Int, to: Int, count: Int) {
        if crop <= size { return ((size - crop) / 2, 0, crop) }
        return (0, (crop - size + 1) / 2, size)
    }

    /// Copies a box that lies inside onto a black canvas where it fits.
    private func copied(
        x: Int, y: Int, width: Int, height: Int, toX: Int, toY: Int,
        canvasWidth: Int, canvasHeight: Int
    ) -> Image {
        var canvas = [UInt8](repeating: 0, count: canvasWidth * canvasHeight * 3)
        for row in 0..<height {
            let from = ((y + row) * self.width + x) * 3
            let to = ((toY + row) * canvasWidth + toX) * 3
            canvas.replaceSubrange(to..<(to + width * 3), with: bytes[from..<(from + width * 3)])
        }
        return Image(checkedWidth: canvasWidth, height: canvasHeight, bytes: canvas)
    }
}
