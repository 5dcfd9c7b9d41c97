import PosedOptions

/// A bar on the terminal with the time that is left.
struct ProgressBar {
    private let label: String
    private let total: Int
    private let start = ContinuousClock.now

    /// A bar of so many steps.
    init(_ label: String, total: Int) {
        self.label = label
        self.total = total
        Terminal.progress("\(label): 0/\(total)")
    }

    /// Shows that so many steps are done.
    func show(_ done: Int) {
        let elapsed = (ContinuousClock.now - start).milliseconds / 1000
        let each = elapsed / Double(max(done, 1))
        let width = 24
        let filled = width * done / max(total, 1)
        let bar =
            String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        Terminal.progress(
            "\(label): [\(bar)] \(done)/\(total), \(each.rounded(to: 2).plain) s each, "
                + "\(Self.clock(each * Double(total - done))) left")
    }

    /// Minutes and seconds, with hours where there are any.
    private static func clock(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 1e9).rounded(.up))
        let two = { (value: Int) in value < 10 ? "0\(value)" : "\(value)" }
        let (hours, minutes) = (whole / 3600, whole / 60 % 60)
        return hours > 0
            ? "\(hours):\(two(minutes)):\(two(whole % 60))" : "\(minutes):\(two(whole % 60))"
    }
}
