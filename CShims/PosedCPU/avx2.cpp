// The row loops for avx2.
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "posed_host/simd/tables.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define POSED_WIDTH 8
namespace posed::avx2 {
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
} // namespace posed::avx2
#pragma clang attribute pop
