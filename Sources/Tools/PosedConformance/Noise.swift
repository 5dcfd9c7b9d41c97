/// Reproducible test data: equal seeds give equal numbers on every machine.
struct Noise {
    private var state: UInt64

    /// A source of numbers that depends on `name` alone.
    init(_ name: String) {
        state = name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    private mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// `count` numbers of a bell-shaped distribution with the given mean and standard deviation,
    /// rounded to `type`.
    mutating func normal(
        _ count: Int, _ type: ElementType = .f32, mean: Float = 0, deviation: Float = 1
    ) -> [Float] {
        (0..<count).map { _ in
            let bits = next()
            // The sum of four uniform numbers: variance 4/12 in units of 2^16.
            let sum = (0..<4).reduce(Float(0)) { $0 + Float((bits >> (16 * UInt64($1))) & 0xffff) }
            let unit = (sum / 65536 - 2) * 1.732_050_8
            return type.round(mean + deviation * unit)
        }
    }
}
