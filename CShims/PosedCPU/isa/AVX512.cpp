// The row loops for avx512.
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "Tables.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))),    \
                             apply_to = function)
#define POSED_WIDTH 16
namespace posed::avx512 {
// Each builds on those before it.
// clang-format off
#include "../simd/vector.h"
#include "../simd/functions.h"
#include "../simd/elementwise.h"
#include "../simd/norms.h"
#include "../simd/product.h"
#include "../simd/winograd.h"
#include "../simd/table.h"
// clang-format on
} // namespace posed::avx512
#pragma clang attribute pop
