/// An 8-bit colour.
package struct RGB: Hashable, Sendable {
    /// Red, 0 to 255.
    package let red: UInt8
    /// Green, 0 to 255.
    package let green: UInt8
    /// Blue, 0 to 255.
    package let blue: UInt8

    /// A colour from its three components.
    package init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// (255, 255, 255).
    package static let white = RGB(255, 255, 255)
    /// (0, 0, 0).
    package static let black = RGB(0, 0, 0)
}
