// exp, and the activations made of it. Relative error about 2e-7 (exp) and 1e-6 (activations).

/// eˣ: x = n·ln 2 + r with |r| ≤ ln 2 / 2; a polynomial of degree 6 in r, times 2ⁿ.
/// Arguments outside [−87.3, 88.3] are taken as the nearest end; 0 is exact.
POSED_INLINE V exponential(V x) {
  x = minimum(V(88.3f), maximum(V(-87.3f), x));       // in this order a NaN stays one
  V shifted = fma(x, V(1.44269504f), V(12582912.0f)); // rounds to an integer in the low bits
  V n = shifted - 12582912.0f;
  V r = fma(n, V(-0.693359375f), x);
  r = fma(n, V(2.12194440e-4f), r);
  V p = fma(V(0.0013829420f), r, V(0.0083747711f));
  p = fma(p, r, V(0.0416683592f));
  p = fma(p, r, V(0.1666642121f));
  p = fma(p, r, V(0.4999999106f));
  p = fma(p, r, V(1.0f));
  p = fma(p, r, V(1.0f));
  // Not added to p's exponent: that would make a number of a NaN whose lowest bits are set.
  return p * as<V>((as<U>(shifted) << 23) + 0x3F800000u);
}

POSED_INLINE V silu(V x) { return x / (1.0f + exponential(-x)); }

/// x · σ(2u) with u = √(2/π)·(x + 0.044715·x³), which is x/2 · (1 + tanh u).
POSED_INLINE V gelu_tanh(V x) {
  V u = x * fma(x * x, V(0.0713548163f), V(1.5957691216f));
  return x / (1.0f + exponential(-u));
}

/// x · Φ(x), with Φ(−|x|) = ½·erfc(z), z = |x|/√2, and erfc(z) = e^(−z²)·t·P(t), t = 1/(1 + 0.4·z).
POSED_INLINE V gelu_erf(V x) {
  V magnitude = maximum(x, -x);
  V z = magnitude * 0.70710678f;
  V t = 1.0f / fma(z, V(0.4f), V(1.0f));
  V p = fma(V(0.04090798f), t, V(-0.13853475f));
  p = fma(p, t, V(0.08005351f));
  p = fma(p, t, V(0.09277888f));
  p = fma(p, t, V(0.07618931f));
  p = fma(p, t, V(0.19502615f));
  p = fma(p, t, V(0.20143814f));
  p = fma(p, t, V(0.22651088f));
  p = fma(p, t, V(0.22562996f));
  V tail = 0.5f * exponential(-z * z) * t * p;
  return x * (x < 0.0f ? tail : 1.0f - tail);
}

/// A polynomial in x² up to 0.625, where the quotient would cancel; 1 − 2/(e^(2|x|) + 1) beyond.
POSED_INLINE V hyperbolic_tangent(V x) {
  V square = x * x;
  V p = fma(V(-0.005652355f), square, V(0.020583488f));
  p = fma(p, square, V(-0.053718485f));
  p = fma(p, square, V(0.133310914f));
  p = fma(p, square, V(-0.333332598f));
  p = fma(p, square, V(1.0f));
  V magnitude = maximum(x, -x);
  V far = 1.0f - 2.0f / (exponential(2.0f * magnitude) + 1.0f);
  return magnitude < 0.625f ? x * p : x < 0.0f ? -far : far;
}

template <uint32_t A> POSED_INLINE V activated(V x) {
  if constexpr (A == POSED_ACT_RELU) return maximum(V(0.0f), x);
  if constexpr (A == POSED_ACT_SILU) return silu(x);
  if constexpr (A == POSED_ACT_GELU_TANH) return gelu_tanh(x);
  if constexpr (A == POSED_ACT_GELU_ERF) return gelu_erf(x);
  if constexpr (A == POSED_ACT_TANH) return hyperbolic_tangent(x);
  return x;
}
