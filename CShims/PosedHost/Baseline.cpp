// The row loops for any processor: vectors of four, as the compiler has them.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "posed_host/tables.h"

#define POSED_WIDTH 4
namespace posed::baseline {
// Each builds on those before it.
// clang-format off
#include "simd/vector.h"
#include "simd/functions.h"
#include "simd/elementwise.h"
#include "simd/norms.h"
#include "simd/product.h"
#include "simd/winograd.h"
#include "simd/table.h"
// clang-format on
} // namespace posed::baseline
