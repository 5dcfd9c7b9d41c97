/// ‖a − b‖ / ‖b‖; infinite when the counts differ or a value is not finite.
package func relativeError(_ a: [Float], _ b: [Float]) -> Double {
    guard a.count == b.count else { return .infinity }
    var (difference, norm) = (0.0, 0.0)
    for (x, y) in zip(a, b) {
        difference += (Double(x) - Double(y)) * (Double(x) - Double(y))
        norm += Double(y) * Double(y)
    }
    let error = (difference / norm).squareRoot()
    return error.isFinite ? error : .infinity
}
