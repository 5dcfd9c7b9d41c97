// linear: by cuBLASLt where there is one and its epilogue can finish the product, else by kernels/linear.cu.
#include "Tiles.h"

namespace posed::cuda {
namespace {

const PackedWeight &weight_of(const LinearCall &call) {
  return static_cast<const PackedWeight &>(*call.weight);
}

bool aligned(const View &view, uint64_t bytes) { return reinterpret_cast<Address>(view.data) % bytes == 0; }

/// Whether rows of all of the batch lie at one distance, so that they are one matrix.
bool one_matrix(const View &view) {
  return view.shape[0] == 1 || view.stride[0] == view.shape[1] * view.stride[1];
}

/// Rows must not lie upon each other, nor batches where they are y's or become the rows.
bool separate(const View &view, bool batches_too) {
  bool rows = view.shape[1] == 1 || view.stride[1] >= view.shape[2];
  return rows && (!batches_too || view.shape[0] == 1 || view.stride[0] >= view.shape[2]);
}

/// Whether the library's epilogue can do what the call asks for.
bool fits_library(const LinearCall &call, uint32_t compute) {
  const View &x = call.x, &y = call.y;
  const bool single = call.tokens == 1;
  if (call.gate || x.dtype != compute || !separate(x, single) || !separate(y, true)) return false;
  if (!aligned(x, 16) || !aligned(y, 16) || x.shape[2] % 8 != 0 || y.shape[2] % 8 != 0) return false;
  switch (call.activation) {
  case POSED_ACT_NONE:
    break;
  case POSED_ACT_RELU:
    if (call.residual) return false;
    break;
  case POSED_ACT_GELU_TANH: // the library's is as exact as a result of 16 bits can show
    if (call.residual || y.dtype == POSED_F32) return false;
    break;
  default:
    return false;
  }
  if (!call.residual) return true;
  return call.residual.dtype == y.dtype && separate(call.residual, single) && aligned(call.residual, 16);
}

int64_t row_stride(const View &view) { return view.shape[1] == 1 ? view.shape[2] : view.stride[1]; }

MatrixProduct product_of(const LinearCall &call) {
  const PackedWeight &weight = weight_of(call);
  const View &x = call.x, &y = call.y, &residual = call.residual;
  const bool single = call.tokens == 1; // a row of each member of the batch: the batch is the rows
  const bool joined = single || (one_matrix(x) && one_matrix(y) && (!residual || one_matrix(residual)));
  auto distance = [&](const View &view) { return single ? view.stride[0] : row_stride(view); };
  MatrixProduct p;
  p.x = reinterpret_cast<Address>(x.data);
  p.y = reinterpret_cast<Address>(y.data);
  p.weight = weight.memory.address();
  p.residual = reinterpret_cast<Address>(residual.data);
  p.bias = y.dtype == POSED_F32 ? weight.bias : weight.own_bias;
  p.compute = weight.compute;
  p.y_type = y.dtype;
  p.batch = joined ? 1 : call.batch;
  p.rows = joined ? call.batch * call.tokens : call.tokens;
  p.columns = weight.out;
  p.depth = weight.in;
  p.weight_row = weight.row;
  p.x_row = std::max(distance(x), x.shape[2]);
  p.y_row = std::max(distance(y), y.shape[2]);
  p.residual_row = residual ? std::max(distance(residual), y.shape[2]) : 0;
  if (!joined) {
    p.x_batch = x.stride[0];
    p.y_batch = y.stride[0];
    p.residual_batch = residual ? residual.stride[0] : 0;
  }
  p.activation = call.activation;
  return p;
}

/// True when cuBLASLt has taken the product.
bool submit_to_library(posed_stream &stream, const LinearCall &call) {
  MatrixLibrary *library = stream.device->matrices.get();
  if (library == nullptr || !fits_library(call, call.weight->compute)) return false;
  const MatrixProduct product = product_of(call);
  const MatrixAlgorithm algorithm = library->algorithm(product);
  if (algorithm.usable) stream.launch(MatrixLaunch{product, algorithm});
  return algorithm.usable;
}

} // namespace

void submit(posed_stream &stream, const LinearCall &call) {
  if (submit_to_library(stream, call)) return;
  const PackedWeight &weight = weight_of(call);
  submit(stream, call, tile_for(*stream.device, call.batch * call.tokens, weight.out, weight.compute));
}

void submit(posed_stream &stream, const LinearCall &call, const Tile &tile) {
  const PackedWeight &weight = weight_of(call);
  const View &x = call.x, &y = call.y, &residual = call.residual;
  const int64_t chunk = 16 / int64_t(size_of(weight.compute));
  LinearParameters p = {};
  p.x = x.data;
  p.weight = reinterpret_cast<const void *>(weight.memory.address());
  p.x_batch = x.stride[0];
  p.x_token = x.stride[1];
  p.x_type = x.dtype;
  p.rows = narrow_count(call.batch * call.tokens, "linear");
  p.tokens = static_cast<int>(call.tokens);
  p.in = static_cast<int>(weight.in);
  p.out = static_cast<int>(weight.out);
  p.steps = static_cast<int>(weight.row * int64_t(size_of(weight.compute)) / 128);
  p.column_tiles = (p.out + tile.bn - 1) / tile.bn;
  p.epilogue = epilogue_of(weight, y, residual, call.gate, call.activation);
  p.epilogue.y_batch = y.stride[0];
  p.epilogue.y_token = y.stride[1];
  p.epilogue.residual_batch = residual ? residual.stride[0] : 0;
  p.epilogue.residual_token = residual ? residual.stride[1] : 0;
  const bool whole_chunks = (x.shape[0] == 1 || x.stride[0] % chunk == 0) &&
                            (x.shape[1] == 1 || x.stride[1] % chunk == 0) && weight.in % chunk == 0;
  const bool as_it_is = x.dtype == weight.compute && aligned(x, 16) && whole_chunks;
  const Kernel kernel =
      stream.device->kernels.get(tile.module("linear.cu", weight.compute), as_it_is ? "linear" : "linear_any",
                                 tile.threads(), tile.shared_bytes());
  const int64_t tiles = (int64_t(p.rows) + tile.bm - 1) / tile.bm * p.column_tiles;
  stream.launch(kernel, {static_cast<unsigned>(narrow_count(tiles, "linear")), 1, 1}, p);
}

} // namespace posed::cuda
