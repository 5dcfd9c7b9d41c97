#include "Tiles.h"

#include <cmath>

#include "../Weights.h"

namespace posed::cuda {
namespace {

constexpr Tile large = {.bm = 128, .bn = 128, .wm = 64, .wn = 64, .stages = 3, .blocks = 2};
constexpr Tile small = {.bm = 64, .bn = 64, .wm = 32, .wn = 32, .stages = 3, .blocks = 4};
constexpr Tile small_floats = {.bm = 64, .bn = 64, .wm = 32, .wn = 32, .stages = 3, .blocks = 3};
constexpr Tile grouped = {
    .bm = 128, .bn = 128, .wm = 16, .wn = 128, .stages = 3, .blocks = 2, .groups = true};
constexpr Tile grouped_half = {
    .bm = 64, .bn = 128, .wm = 16, .wn = 128, .stages = 4, .blocks = 2, .groups = true};
constexpr Tile narrow = {.bm = 128, .bn = 32, .wm = 32, .wn = 32, .stages = 3, .blocks = 3};

} // namespace

ModuleKey Tile::module(const char *file, uint32_t dtype) const {
  auto define = [](const char *name, int value) { return std::string(name) + "=" + std::to_string(value); };
  ModuleKey key = {file,
                   {std::string("POSED_TYPE=") + type_name(dtype), define("POSED_BM", bm),
                    define("POSED_BN", bn), define("POSED_WM", wm), define("POSED_WN", wn),
                    define("POSED_STAGES", stages), define("POSED_THREADS", static_cast<int>(threads())),
                    define("POSED_BLOCKS", blocks)}};
  if (groups) key.defines.push_back("POSED_GROUPS=1");
  return key;
}

Tile tile_for(posed_device &device, int64_t rows, int64_t columns, uint32_t dtype) {
  if (columns <= narrow.bn) return narrow;
  if (dtype == POSED_F32) return small_floats;
  auto fills = [&](const Tile &tile) {
    const int64_t tiles = (rows + tile.bm - 1) / tile.bm * ((columns + tile.bn - 1) / tile.bn);
    return tiles >= device.multiprocessors;
  };
  if (fills(large)) return device.groups() ? grouped : large;
  if (fills(grouped_half) && device.groups()) return grouped_half;
  return small;
}

bool groups_agree_with_warps(posed_device &device) {
  constexpr int64_t rows = 200, in = 208, out = 144; // whole tiles and parts of them, and a part of a step
  std::vector<float> x(rows * in), matrix(out * in), bias(out);
  uint32_t state = 1;
  for (std::vector<float> *values : {&x, &matrix, &bias}) {
    for (float &value : *values) { // small whole numbers, which bfloat16 holds and float32 adds up exactly
      state = state * 1664525u + 1013904223u;
      value = static_cast<float>(int(state >> 28) - 8);
    }
  }
  posed_linear_weight_desc desc = {.data = matrix.data(),
                                   .dtype = POSED_F32,
                                   .bias = bias.data(),
                                   .out = out,
                                   .in = in,
                                   .compute = POSED_BF16};
  const std::unique_ptr<PackedWeight> weight = pack(device, desc);
  desc.data = x.data();
  desc.bias = nullptr;
  desc.out = rows;
  const std::unique_ptr<PackedWeight> packed = pack(device, desc); // rows of x in bfloat16, as a matrix
  DeviceMemory memory(device.pool, rows * out * sizeof(float));
  posed_stream stream(&device);
  auto view = [](Address address, uint32_t dtype, int64_t width, int64_t row) {
    View made;
    made.data = reinterpret_cast<std::byte *>(address);
    made.dtype = dtype;
    made.rank = 3;
    made.shape[0] = made.stride[2] = 1;
    made.shape[1] = rows;
    made.shape[2] = width;
    made.stride[0] = rows * row;
    made.stride[1] = row;
    return made;
  };
  const LinearCall call = {.x = view(packed->memory.address(), POSED_BF16, in, packed->row),
                           .y = view(memory.address(), POSED_F32, out, out),
                           .weight = weight.get(),
                           .activation = POSED_ACT_NONE,
                           .gate = {},
                           .residual = {},
                           .batch = 1,
                           .tokens = rows};
  std::vector<float> results[3];
  for (const auto &[tile, result] :
       {std::pair{&small, 0}, std::pair{&grouped, 1}, std::pair{&grouped_half, 2}}) {
    results[result].resize(rows * out);
    submit(stream, call, *tile);
    device.driver.require(device.driver.copy_out(results[result].data(), memory.address(),
                                                 rows * out * sizeof(float), stream.handle),
                          "fetching a product");
    device.driver.require(device.driver.stream_synchronize(stream.handle), "comparing products");
  }
  return results[0] == results[1] && results[0] == results[2];
}

EpilogueParameters epilogue_of(const PackedWeight &weight, const View &y, const View &residual,
                               const View &gate, uint32_t activation) {
  EpilogueParameters p = {};
  p.bias = reinterpret_cast<const float *>(weight.bias);
  p.gate = gate.as<float>();
  p.gate_batch = gate ? gate.stride[0] : 0;
  p.residual = residual.data;
  p.residual_type = residual.dtype;
  p.y = y.data;
  p.y_type = y.dtype;
  p.activation = activation;
  bool vectors = y.shape[y.rank - 1] % 4 == 0 && rows_allow_fours(y);
  if (residual) vectors = vectors && rows_allow_fours(residual);
  if (gate) vectors = vectors && rows_allow_fours(gate);
  p.vectors = vectors;
  return p;
}

} // namespace posed::cuda
