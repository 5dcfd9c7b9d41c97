// layer_norm and group_norm: see kernels/layer_norm.cu and kernels/group_norm.cu.
#include "Plans.h"

namespace posed::cuda {
namespace {

constexpr int64_t widest_kept_row = 1024;
constexpr unsigned warp = 32;

ModuleKey module_of(const char *file, const View &x, const View &y) {
  return {file, {std::string("POSED_X=") + type_name(x.dtype), std::string("POSED_Y=") + type_name(y.dtype)}};
}

} // namespace

void submit(posed_stream &stream, const LayerNormCall &call) {
  const View &x = call.x, &y = call.y, &multiply = call.multiply, &add = call.add;
  const LayerNormParameters parameters = {.x = x.data,
                                          .y = y.data,
                                          .multiply = multiply.as<float>(),
                                          .add = add.as<float>(),
                                          .rows = x.shape[0] * x.shape[1],
                                          .tokens = x.shape[1],
                                          .width = x.shape[2],
                                          .x_batch = x.stride[0],
                                          .x_token = x.stride[1],
                                          .y_batch = y.stride[0],
                                          .y_token = y.stride[1],
                                          .multiply_batch = call.modulated ? multiply.stride[0] : 0,
                                          .add_batch = call.modulated ? add.stride[0] : 0,
                                          .eps = call.eps,
                                          .plus = call.modulated ? 1.0f : 0.0f};
  bool fours = x.shape[2] % 4 == 0 && rows_allow_fours(x) && rows_allow_fours(y);
  if (multiply) fours = fours && rows_allow_fours(multiply) && rows_allow_fours(add);
  const ModuleKey module = module_of("layer_norm.cu", x, y);
  const int rows = narrow_count(parameters.rows, "layer_norm");
  if (fours && x.shape[2] <= widest_kept_row) {
    constexpr unsigned threads = 128, rows_each = threads / warp;
    const Grid grid = {(static_cast<unsigned>(rows) + rows_each - 1) / rows_each, 1, 1};
    return stream.launch(stream.device->kernels.get(module, "layer_norm", threads, 0), grid, parameters);
  }
  constexpr unsigned threads = 256;
  const Kernel kernel =
      stream.device->kernels.get(module, "layer_norm_any", threads, threads / warp * sizeof(float));
  stream.launch(kernel, {static_cast<unsigned>(rows), 1, 1}, parameters);
}

void submit(posed_stream &stream, const GroupNormCall &call) {
  const View &x = call.x;
  constexpr int64_t threads = 256, block_elements = 16384, most_blocks = 128;
  const int64_t images = x.shape[0], pixels = x.shape[1] * x.shape[2], channels = x.shape[3];
  const int64_t wanted =
      std::clamp<int64_t>(pixels * channels / block_elements, 1, std::min(pixels, most_blocks));
  const int64_t block_pixels = (pixels + wanted - 1) / wanted,
                blocks = (pixels + block_pixels - 1) / block_pixels;
  if (images > 65535)
    fail(POSED_UNSUPPORTED, "group_norm: %lld images at once.", static_cast<long long>(images));
  GroupNormParameters parameters = {.x = x.data,
                                    .y = call.y.data,
                                    .gamma = call.gamma.as<float>(),
                                    .beta = call.beta.as<float>(),
                                    .partial = nullptr,
                                    .pixels = pixels,
                                    .channels = narrow_count(channels, "group_norm"),
                                    .groups = static_cast<int>(call.groups),
                                    .blocks = static_cast<int>(blocks),
                                    .block_pixels = narrow_count(block_pixels, "group_norm"),
                                    .activation = call.activation,
                                    .eps = call.eps};
  const bool fours = channels % 4 == 0 && allows_fours(x) && allows_fours(call.y);
  const int64_t columns = std::min(channels / (fours ? 4 : 1), threads), lines = threads / columns;
  const int64_t sums_bytes = (lines * channels + 2 * call.groups) * 4, apply_bytes = 2 * channels * 4;
  if (std::max(sums_bytes, apply_bytes) > stream.device->shared_bytes) {
    fail(POSED_UNSUPPORTED, "group_norm: %lld channels do not fit this device's shared memory.",
         static_cast<long long>(channels));
  }
  Kernels &kernels = stream.device->kernels;
  const ModuleKey module = module_of("group_norm.cu", x, call.y);
  const Kernel sums = kernels.get(module, fours ? "group_norm_sums" : "group_norm_sums_any", threads,
                                  static_cast<unsigned>(sums_bytes));
  const Kernel apply = kernels.get(module, fours ? "group_norm_apply" : "group_norm_apply_any", threads,
                                   static_cast<unsigned>(apply_bytes));
  const Grid grid = {static_cast<unsigned>(blocks), static_cast<unsigned>(images), 1};
  const auto scratch = static_cast<uint64_t>(images * blocks * call.groups * 2) * sizeof(float);
  stream.launch(sums, grid, parameters, &parameters.partial, scratch);
  stream.launch(apply, grid, parameters, &parameters.partial, scratch);
}

} // namespace posed::cuda
