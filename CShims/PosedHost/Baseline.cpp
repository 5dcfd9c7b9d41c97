// The row loops for any processor: vectors of four, as the compiler has them.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "posed_host/simd/tables.h"

#define POSED_WIDTH 4
namespace posed::baseline {
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
} // namespace posed::baseline
