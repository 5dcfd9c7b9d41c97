// conv2d: an implicit product, see kernels/conv2d.cu.
#include "Tiles.h"

namespace posed::cuda {

void submit(posed_stream &stream, const ConvCall &call) {
  const auto &weight = static_cast<const PackedWeight &>(*call.weight);
  const Filter &filter = weight.filter;
  const View &x = call.x, &y = call.y;
  const int enlargement = filter.upsample;
  const int64_t rows = y.shape[0] * y.shape[1] * y.shape[2] / (enlargement * enlargement);
  const Tile tile = tile_for(*stream.device, rows * enlargement * enlargement, filter.out, weight.compute);
  ConvParameters p = {};
  p.x = x.data;
  p.x_type = x.dtype;
  p.weight = reinterpret_cast<const void *>(weight.memory.address());
  p.phase_weight = weight.phase;
  p.images = static_cast<int>(x.shape[0]);
  p.height = narrow_count(x.shape[1], "conv2d");
  p.width = narrow_count(x.shape[2], "conv2d");
  p.in = static_cast<int>(filter.in);
  p.in_padded = static_cast<int>(weight.channels);
  p.rows = narrow_count(rows, "conv2d");
  p.out_height = static_cast<int>(y.shape[1] / enlargement);
  p.out_width = static_cast<int>(y.shape[2] / enlargement);
  p.out = static_cast<int>(filter.out);
  p.kernel_h = enlargement == 2 ? 2 : filter.kernel_h;
  p.kernel_w = enlargement == 2 ? 2 : filter.kernel_w;
  p.stride_h = filter.stride_h;
  p.stride_w = filter.stride_w;
  p.pad_top = filter.pad_top;
  p.pad_left = filter.pad_left;
  p.steps = static_cast<int>(weight.row * int64_t(size_of(weight.compute)) / 128);
  p.column_tiles = (p.out + tile.bn - 1) / tile.bn;
  p.enlargement = enlargement;
  p.epilogue = epilogue_of(weight, y, call.residual, {}, call.activation);
  p.epilogue.residual_first = 1;
  const bool as_it_is = x.dtype == weight.compute && filter.in == weight.channels &&
                        reinterpret_cast<Address>(x.data) % 16 == 0;
  const Kernel kernel =
      stream.device->kernels.get(tile.module("conv2d.cu", weight.compute), as_it_is ? "conv2d" : "conv2d_any",
                                 tile.threads(), tile.shared_bytes());
  const int64_t tiles = (rows + tile.bm - 1) / tile.bm * p.column_tiles;
  const unsigned phases = enlargement == 2 ? 4 : 1;
  stream.launch(kernel, {static_cast<unsigned>(narrow_count(tiles, "conv2d")), phases, 1}, p);
}

} // namespace posed::cuda
