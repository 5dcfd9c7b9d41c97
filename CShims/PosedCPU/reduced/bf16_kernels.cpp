// The kernels of bfloat16 for AVX-512, with the instructions of BF16 and without.
#include <algorithm>
#include <array>
#include <utility>

#include "functions.h"
#include "gemm.h"
#include "posed_backend.h"

POSED_AVX512_BF16_BEGIN
#define POSED_BF16 1
namespace posed::reduced {
namespace {
namespace native {
#include "bf16_kernels.h"
} // namespace native
} // namespace
} // namespace posed::reduced
#undef POSED_BF16
POSED_AVX512_END

POSED_AVX512_BEGIN
#define POSED_BF16 0
namespace posed::reduced {
namespace {
namespace widened {
#include "bf16_kernels.h"
} // namespace widened
} // namespace
} // namespace posed::reduced
#undef POSED_BF16
POSED_AVX512_END

namespace posed::reduced {

const Rounding native_rounding = native::rounding, widened_rounding = widened::rounding;

const Engine bf16_avx512_bf16 = {.name = "avx512-bf16",
                                 .tile_rows = native::tile_rows,
                                 .task_products = 2 << 20,
                                 .pair_multiple = 1,
                                 .even_tiles = true,
                                 .microtile = native::microtile_table.data(),
                                 .rounding = &native_rounding,
                                 .enter = nullptr,
                                 .leave = nullptr};
const Engine bf16_avx512 = {.name = "avx512",
                            .tile_rows = widened::tile_rows,
                            .task_products = 1 << 20,
                            .pair_multiple = 1,
                            .even_tiles = true,
                            .microtile = widened::microtile_table.data(),
                            .rounding = &widened_rounding,
                            .enter = nullptr,
                            .leave = nullptr};

} // namespace posed::reduced
