/// How a picture of another aspect is brought to the one that is wanted.
package enum PictureFit: String, Codable, Sendable, CaseIterable {
    /// It is stretched or squeezed.
    case stretch
    /// Its middle is cut out, or what lies around the person's box.
    case crop
    /// A border is added, in the colour of the picture's own border.
    case pad
}

/// A rectangle of a picture, in pixels from its upper left corner.
package struct PictureBox: Hashable, Codable, Sendable {
    /// The first column.
    package var x: Int
    /// The first row.
    package var y: Int
    /// Columns, at least 1.
    package var width: Int
    /// Rows, at least 1.
    package var height: Int

    /// A box as given.
    package init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// What two boxes share; nil if nothing, or if a side is not positive.
    fileprivate func shared(with other: PictureBox) -> PictureBox? {
        guard width > 0, height > 0, other.width > 0, other.height > 0 else { return nil }
        func range(_ start: Int, _ count: Int) -> Range<Int> {
            let end = start.addingReportingOverflow(count)
            return start..<(end.overflow ? .max : end.partialValue)
        }
        let columns = range(x, width).clamped(to: range(other.x, other.width))
        let rows = range(y, height).clamped(to: range(other.y, other.height))
        guard !columns.isEmpty, !rows.isEmpty else { return nil }
        return PictureBox(
            x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
    }

    /// The smallest box of an aspect, width by height, around this one's middle that holds it.
    fileprivate func widened(to aspect: Double) -> PictureBox {
        let newWidth = max(width, Int((Double(height) * aspect).rounded()))
        let newHeight = max(height, Int((Double(width) / aspect).rounded()))
        return PictureBox(
            x: x - (newWidth - width) / 2, y: y - (newHeight - height) / 2, width: newWidth,
            height: newHeight)
    }

    /// The largest box of an aspect, at most as large as this one, within a picture and nearest to this one's middle.
    fileprivate func moved(into width: Int, _ height: Int, aspect: Double) -> PictureBox {
        let most = min(
            Double(self.width), Double(width), Double(min(self.height, height)) * aspect)
        let newWidth = min(max(Int(most.rounded()), 1), width)
        let newHeight = min(max(Int((most / aspect).rounded()), 1), height)
        let left = x + (self.width - newWidth) / 2
        let top = y + (self.height - newHeight) / 2
        return PictureBox(
            x: min(max(left, 0), width - newWidth), y: min(max(top, 0), height - newHeight),
            width: newWidth, height: newHeight)
    }
}

/// How pictures of a person are brought to the aspect that a model takes.
package struct PictureFraming: Hashable, Codable, Sendable {
    /// What is done to a picture of another aspect.
    package var fit: PictureFit
    /// Width by height of pictures before they are resized; nil for that of the pictures that are made.
    package var aspect: Double?

    /// Aspects are between these.
    package static let aspects = 0.1...10

    /// Pictures are stretched to the size that is made, unless something else is said.
    package init(fit: PictureFit = .stretch, aspect: Double? = nil) {
        self.fit = fit
        self.aspect = aspect
    }

    /// A picture ready to be resized to `width` × `height`.
    ///
    /// - Parameter box: Where the person is; the whole picture where it is nil. What lies outside of the picture
    ///   is left out.
    /// - Throws: `VisionError` `.invalidSize` for a box that is empty or lies outside of the picture.
    package func framed(
        _ image: Image, width: Int, height: Int, box: PictureBox? = nil
    ) throws -> Image {
        let region = try region(of: image, width: width, height: height, box: box)
        return fit == .pad ? try image.padded(to: region) : try image.cropped(to: region)
    }

    /// The rectangle of a picture that becomes one of `width` × `height`; with `pad` it may reach out of the picture.
    ///
    /// Takes and throws what `framed` does.
    package func region(
        of image: Image, width: Int, height: Int, box: PictureBox? = nil
    ) throws -> PictureBox {
        let whole = PictureBox(x: 0, y: 0, width: image.width, height: image.height)
        let asked = box ?? whole
        guard let person = asked.shared(with: whole) else {
            throw VisionError(
                .invalidSize,
                "a box of \(asked.width) × \(asked.height) at (\(asked.x), \(asked.y)) shows nothing of a picture "
                    + "of \(image.width) × \(image.height)")
        }
        let aspect = self.aspect ?? Double(width) / Double(height)
        switch fit {
        case .stretch: return person
        case .crop:
            // Without a box, as much as can be; with one, no more than shows the person.
            let wanted = box == nil ? whole : person.widened(to: aspect)
            return wanted.moved(into: image.width, image.height, aspect: aspect)
        case .pad: return person.widened(to: aspect)
        }
    }
}

extension Image {
    /// The part of the picture inside a box. Throws `invalidSize` if the box reaches out.
    package func cropped(to box: PictureBox) throws -> Image {
        if box.x == 0, box.y == 0, box.width == width, box.height == height { return self }
        return try cropped(x: box.x, y: box.y, width: box.width, height: box.height)
    }

    /// The part of the picture inside a box that may reach out: there the colour of the picture's border shows,
    /// the mean of the edges that the box reaches over.
    fileprivate func padded(to box: PictureBox) throws -> Image {
        let whole = PictureBox(x: 0, y: 0, width: width, height: height)
        guard let inside = box.shared(with: whole) else { return self }
        if inside == box { return try cropped(to: box) }
        let part = try cropped(to: inside)
        var bytes = try Image(
            width: box.width, height: box.height,
            filledWith: borderColor(columns: box.width > inside.width)
        ).bytes
        let left = inside.x - box.x
        for row in 0..<inside.height {
            let to = ((inside.y - box.y + row) * box.width + left) * 3
            let from = row * inside.width * 3
            bytes.replaceSubrange(
                to..<(to + inside.width * 3), with: part.bytes[from..<(from + inside.width * 3)])
        }
        return try Image(width: box.width, height: box.height, bytes: bytes)
    }

    /// The mean colour of the first and last column, or of the first and last row.
    private func borderColor(columns: Bool) -> RGB {
        var pixels: [RGB] = []
        if columns {
            for y in 0..<height { pixels += [self[0, y], self[width - 1, y]] }
        } else {
            for x in 0..<width { pixels += [self[x, 0], self[x, height - 1]] }
        }
        func mean(_ channel: KeyPath<RGB, UInt8>) -> UInt8 {
            let sum = pixels.reduce(0) { $0 + Int($1[keyPath: channel]) }
            return UInt8(clamping: (sum + pixels.count / 2) / pixels.count)
        }
        return RGB(mean(\.red), mean(\.green), mean(\.blue))
    }
}

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
