/// The filters that a picture is resized with, antialiased as Pillow does it.
package enum Resampling: Int, Sendable, CaseIterable {
    /// Triangle filter; Pillow's number 2.
    case bilinear = 2
    /// Cubic convolution with a = −0.5; Pillow's number 3.
    case bicubic = 3

    /// How far the filter reaches from its centre, in source pixels when enlarging.
    var support: Double {
        switch self {
        case .bilinear: 1
        case .bicubic: 2
        }
    }

    /// The filter's value at a distance from its centre.
    func weight(at distance: Double) -> Double {
        let x = abs(distance)
        switch self {
        case .bilinear:
            return x < 1 ? 1 - x : 0
        case .bicubic:
            let a = -0.5
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
            return 0
        }
    }
}
