import Foundation

/// X-MDPT's drawing of a body, equal to what OpenCV draws for it to the last byte: on black, first the joints as
/// discs, then each limb as an ellipse blended at 0.6 over what is there. Edges are hard.
///
/// Joints are pixels of the picture; the fractions of their coordinates are cut off. Colours are the skeleton's
/// with red and blue exchanged.
struct XMDPTDrawing {
    private static let radius = 4
    /// How far each row of a disc of radius 4 reaches to either side, from the topmost.
    private static let reaches = [0, 2, 3, 3, 4, 3, 3, 2, 0]

    private let width: Int
    private let height: Int
    private var bytes: [UInt8]

    /// The picture of a body's joints; absent ones are left out, and the limbs that end in them.
    static func image(of joints: [Keypoint], width: Int, height: Int) -> Image {
        var drawing = XMDPTDrawing(width: width, height: height)
        let colors = PoseSkeleton.colors.map { [$0.blue, $0.green, $0.red] }
        for (joint, color) in zip(joints, colors) where joint.isPresent {
            drawing.paint(disc(joint)) { color[$1] }
        }
        for (limb, color) in zip(PoseSkeleton.limbs, colors) {
            let (from, to) = (joints[limb.from], joints[limb.to])
            guard from.isPresent, to.isPresent else { continue }
            // 0.4 · old + 0.6 · colour, rounded; a fifth is never half of one.
            let polygon = FilledPolygon(ellipse(from, to), width: width, height: height)
            drawing.paint(polygon.spans) {
                UInt8((Int($0) * 2 + Int(color[$1]) * 3 + 2) / 5)
            }
        }
        return Image(checkedWidth: width, height: height, bytes: drawing.bytes)
    }

    private init(width: Int, height: Int) {
        self.width = width
        self.height = height
        bytes = [UInt8](repeating: 0, count: width * height * 3)
    }

    /// Columns from first to last of each row; rows without any have none.
    typealias Spans = [Int: ClosedRange<Int>]

    /// Replaces each byte of the spans within the picture by what `value` makes of it and of its channel.
    private mutating func paint(_ spans: Spans, _ value: (UInt8, Int) -> UInt8) {
        for (row, columns) in spans where (0..<height).contains(row) {
            guard columns.upperBound >= 0, columns.lowerBound < width else { continue }
            for column in max(columns.lowerBound, 0)...min(columns.upperBound, width - 1) {
                for channel in 0..<3 {
                    let at = (row * width + column) * 3 + channel
                    bytes[at] = value(bytes[at], channel)
                }
            }
        }
    }

    private static func disc(_ joint: Keypoint) -> Spans {
        let (x, y) = (whole(joint.x), whole(joint.y))
        return Spans(
            uniqueKeysWithValues: reaches.enumerated().map { row, reach in
                (y + row - radius, x - reach...x + reach)
            })
    }

    /// The ellipse about the middle of two joints, as long as they are apart and 4 to either side, as the
    /// polygon of its points at every whole degree.
    private static func ellipse(_ from: Keypoint, _ to: Keypoint) -> [FilledPolygon.Corner] {
        let (dx, dy) = (from.x - to.x, from.y - to.y)
        let center = (x: whole((from.x + to.x) / 2), y: whole((from.y + to.y) / 2))
        let length = whole((dx * dx + dy * dy).squareRoot() / 2)
        let degrees = whole(atan2(dy, dx) * 180 / .pi)
        let (sine, cosine) = (sine(degrees), sine(degrees + 90))
        var corners: [FilledPolygon.Corner] = []
        for degree in 0...360 {
            let along = Double(length) * self.sine(degree + 90)
            let across = Double(radius) * self.sine(degree)
            let x = Double(center.x) + along * cosine - across * sine
            let y = Double(center.y) + along * sine + across * cosine
            let corner = FilledPolygon.Corner(
                x: Int(x.rounded(.toNearestOrEven)), y: Int(y.rounded(.toNearestOrEven)))
            if corners.last != corner { corners.append(corner) }
        }
        return corners
    }

    /// The sine of whole degrees, to the seven decimals that OpenCV's table has.
    private static func sine(_ degrees: Int) -> Double {
        let exact = sin(Double(degrees % 360) * .pi / 180)
        return Double(Float((exact * 1e7).rounded() / 1e7))
    }

    /// A coordinate without its fraction.
    private static func whole(_ value: Double) -> Int { Int(max(min(value, 1e6), -1e6)) }
}

/// The pixels that OpenCV fills for a polygon that is convex but for the rounding of its corners: its border, and
/// what lies between the two chains of sides that lead down from its topmost corner.
private struct FilledPolygon {
    struct Corner: Equatable {
        var x: Int
        var y: Int
    }

    /// A chain of sides on its way down, in 1/65536 of a column.
    private struct Chain {
        /// The corner that it is heading for, and the step to the next.
        var corner: Int
        let step: Int
        var x = -one
        var slope = 0
        /// The row of that corner.
        var end: Int
    }

    private static let one = 1 << 16

    private let corners: [Corner]
    private let width: Int
    private let height: Int
    private(set) var spans: XMDPTDrawing.Spans = [:]

    init(_ corners: [Corner], width: Int, height: Int) {
        (self.corners, self.width, self.height) = (corners, width, height)
        for (start, end) in zip(corners, corners.dropFirst()) {
            if let (start, end) = clipped(start, end) { trace(start, end) }
        }
        fill()
    }

    private mutating func include(_ columns: ClosedRange<Int>, row: Int) {
        let known = spans[row] ?? columns
        spans[row] =
            min(known.lowerBound, columns.lowerBound)...max(known.upperBound, columns.upperBound)
    }

    /// The pixels of a side, from its left end to its right: one for each step along the longer extent, halves
    /// rounded towards the start.
    private mutating func trace(_ a: Corner, _ b: Corner) {
        let (start, end) = b.x < a.x ? (b, a) : (a, b)
        let (dx, dy) = (end.x - start.x, abs(end.y - start.y))
        let down = end.y < start.y ? -1 : 1
        let (long, short) = (max(dx, dy), min(dx, dy))
        for step in 0...long {
            let side = long == 0 ? 0 : (2 * step * short + long - 1) / (2 * long)
            let (x, y) = dy > dx ? (side, step) : (step, side)
            include(start.x + x...start.x + x, row: start.y + down * y)
        }
    }

    /// The part of a side within the picture, its ends moved to whole pixels; nil for none.
    private func clipped(_ a: Corner, _ b: Corner) -> (Corner, Corner)? {
        var (a, b) = (a, b)
        func outside(_ value: Int, _ limit: Int) -> Int { value < 0 ? -1 : value < limit ? 0 : 1 }
        /// How far `along` is on the way from one end to the other, of `extent`, cut to a whole.
        func part(_ along: Int, _ extent: Int, of way: Int) -> Int {
            Int(Double(along) * Double(extent) / Double(way))
        }
        func rows() -> (Int, Int) { (outside(a.y, height), outside(b.y, height)) }
        func columns() -> (Int, Int) { (outside(a.x, width), outside(b.x, width)) }
        func misses(_ sides: (Int, Int)) -> Bool { sides.0 != 0 && sides.0 == sides.1 }
        guard !misses(rows()), !misses(columns()) else { return nil }
        if rows().0 != 0 {
            let edge = rows().0 < 0 ? 0 : height - 1
            a = Corner(x: a.x + part(edge - a.y, b.x - a.x, of: b.y - a.y), y: edge)
        }
        if rows().1 != 0 {
            let edge = rows().1 < 0 ? 0 : height - 1
            b = Corner(x: b.x + part(edge - b.y, b.x - a.x, of: b.y - a.y), y: edge)
        }
        guard !misses(columns()) else { return nil }
        if columns().0 != 0 {
            let edge = columns().0 < 0 ? 0 : width - 1
            a = Corner(x: edge, y: a.y + part(edge - a.x, b.y - a.y, of: b.x - a.x))
        }
        if columns().1 != 0 {
            let edge = columns().1 < 0 ? 0 : width - 1
            b = Corner(x: edge, y: b.y + part(edge - b.x, b.y - a.y, of: b.x - a.x))
        }
        return (a, b)
    }

    /// Follows both chains from row to row.
    private mutating func fill() {
        let rows = corners.map(\.y)
        guard corners.count >= 3, let first = rows.min(), let last = rows.max(),
            let top = rows.firstIndex(of: first), first < height
        else { return }
        var chains = [1, corners.count - 1].map { Chain(corner: top, step: $0, end: first) }
        var left = corners.count
        for row in first...min(last, height - 1) {
            for index in chains.indices where row >= chains[index].end {
                advance(&chains[index], row: row, &left)
            }
            let ends = chains.map { ($0.x + Self.one / 2) >> 16 }.sorted()
            if ends[1] >= 0, row >= 0 { include(ends[0]...ends[1], row: row) }
            for index in chains.indices { chains[index].x += chains[index].slope }
        }
    }

    /// Takes the next side that leads below `row`; of all sides, `left` are not yet taken.
    private func advance(_ chain: inout Chain, row: Int, _ left: inout Int) {
        var here = chain.corner
        while left > 0 {
            left -= 1
            let next = (here + chain.step) % corners.count
            if corners[next].y > row {
                let height = corners[next].y - row
                let way = (corners[next].x - corners[here].x) * Self.one
                chain.slope = (2 * way + height) / (2 * height)
                chain.x = corners[here].x * Self.one
                (chain.end, chain.corner) = (corners[next].y, next)
                return
            }
            here = next
        }
    }
}
