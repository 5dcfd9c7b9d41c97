// The row loops for avx2.
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "posed_host/tables.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define POSED_WIDTH 8
namespace posed::avx2 {
// Each builds on those before it.
// clang-format off
#include "../PosedHost/simd/vector.h"
#include "../PosedHost/simd/functions.h"
#include "../PosedHost/simd/elementwise.h"
#include "../PosedHost/simd/norms.h"
#include "../PosedHost/simd/product.h"
#include "../PosedHost/simd/winograd.h"
#include "../PosedHost/simd/table.h"
// clang-format on
} // namespace posed::avx2
#pragma clang attribute pop
