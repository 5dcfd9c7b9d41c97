// The row loops for avx512.
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "posed_host/simd/tables.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))),    \
                             apply_to = function)
#define POSED_WIDTH 16
namespace posed::avx512 {
// Each builds on those before it.
// clang-format off
#include "posed_host/simd/vector.h"
#include "posed_host/simd/functions.h"
#include "posed_host/simd/elementwise.h"
#include "posed_host/simd/norms.h"
#include "posed_host/simd/product.h"
#include "posed_host/simd/winograd.h"
#include "posed_host/simd/table.h"
// clang-format on
} // namespace posed::avx512
#pragma clang attribute pop
