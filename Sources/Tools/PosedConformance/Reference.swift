package import CPosedBackend
import Foundation

/// The operations of the plugin interface in plain loops with double precision: what every backend is
/// measured against. Arrays are dense and row-major, in the shapes of `posed_backend.h`.
package enum Reference {
    /// act(x) for a `posed_activation`.
    package static func activation(_ kind: posed_activation, _ x: Double) -> Double {
        switch kind {
        case POSED_ACT_RELU: max(x, 0)
        case POSED_ACT_TANH: tanh(x)
        case POSED_ACT_SILU: x / (1 + exp(-x))
        case POSED_ACT_GELU_TANH:
            0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case POSED_ACT_GELU_ERF: 0.5 * x * erfc(-x / 2.0.squareRoot())
        case POSED_ACT_TANH: tanh(x)
        default: x
        }
    }

    /// The sum of products of `count` neighbours in `a` from `i` and `b` from `j`.
    @inline(__always)
    package static func dot(
        _ a: UnsafeBufferPointer<Float>, _ i: Int, _ b: UnsafeBufferPointer<Float>, _ j: Int,
        _ count: Int
    ) -> Double {
        var sums = (0.0, 0.0, 0.0, 0.0)
        var k = 0
        while k + 4 <= count {
            sums.0 += Double(a[i + k]) * Double(b[j + k])
            sums.1 += Double(a[i + k + 1]) * Double(b[j + k + 1])
            sums.2 += Double(a[i + k + 2]) * Double(b[j + k + 2])
            sums.3 += Double(a[i + k + 3]) * Double(b[j + k + 3])
            k += 4
        }
        while k < count {
            sums.0 += Double(a[i + k]) * Double(b[j + k])
            k += 1
        }
        return sums.0 + sums.1 + sums.2 + sums.3
    }
}
