/// The order in which a picture's values are laid out as floats.
package enum PlaneLayout: Sendable {
    /// `[3, H, W]`: a whole plane of red, then of green, then of blue.
    case nchw
    /// `[H, W, 3]`: the three values of a pixel side by side.
    case nhwc
}
