// The BLAS of this machine, by its C interface.
#pragma once

#include <cstdint>
#include <string>

namespace posed::blas {

/// What the loader found behind `libblas.so.3`, which Debian's alternatives point to OpenBLAS, BLIS, ATLAS or
/// the reference: opened when it is wanted, never linked, so that the plugin loads where there is none and
/// says so.
struct Library {
  std::string name;    // "OpenBLAS 0.3.21", or "a BLAS" where it does not tell
  std::string problem; // why there is none, in a sentence; empty where there is one
  void (*sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a,
                int lda, const float *b, int ldb, float beta, float *c, int ldc) = nullptr;
};

/// Opened once. It uses one thread: the device's own share the work out.
const Library &library();

/// A matrix [rows, columns] of float32, rows `stride` apart, stride ≥ columns.
struct Matrix {
  const float *data;
  int64_t stride;
};

/// c [m, n] = a [m, k] · b, or += with `add`. b is [n, k] with `transposed`, else [k, n].
void multiply(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, bool transposed, float *c,
              int64_t c_stride, bool add = false);

} // namespace posed::blas
