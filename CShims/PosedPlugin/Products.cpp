// The rules of the descriptors of linear, conv2d and attention, and of their weights. What passes
// here a plugin may rely on.
#include <cmath>

#include "posed_plugin/calls.h"
#include "posed_plugin/status.h"

namespace posed {
namespace {

/// `type` is what goes beside float32.
void require_type(const View &view, const Expect &expect, uint32_t type) {
  if (view.dtype == POSED_F32 || view.dtype == type) return;
  fail(POSED_INVALID_ARGUMENT, "%s: %s is %s; expected f32%s%s.", expect.operation, expect.tensor,
       name_of(view.dtype).c_str(), type == POSED_F32 ? "" : " or ",
       type == POSED_F32 ? "" : name_of(type).c_str());
}

void require_weight(const posed_device &device, const posed_weight *weight, posed_weight::Kind kind,
                    const char *operation) {
  if (weight == nullptr || weight->kind != kind || weight->device != &device) {
    fail(POSED_INVALID_ARGUMENT, "%s: the weight %s.", operation,
         weight == nullptr      ? "is missing"
         : weight->kind != kind ? "was made for another operation"
                                : "belongs to another device");
  }
}

void require_source(const void *data, uint32_t dtype, const char *what) {
  if (data == nullptr) fail(POSED_INVALID_ARGUMENT, "%s: the data are missing.", what);
  if (!is_float(dtype)) {
    fail(POSED_INVALID_ARGUMENT, "%s: the data are %s; expected f32, f16 or bf16.", what,
         name_of(dtype).c_str());
  }
}

} // namespace

Filter filter_of(const posed_conv2d_weight_desc &desc) {
  return {.out = desc.out,
          .in = desc.in,
          .kernel_h = desc.kernel_h,
          .kernel_w = desc.kernel_w,
          .stride_h = desc.stride_h,
          .stride_w = desc.stride_w,
          .pad_top = desc.pad_top,
          .pad_left = desc.pad_left,
          .pad_bottom = desc.pad_bottom,
          .pad_right = desc.pad_right,
          .upsample = desc.upsample};
}

LinearCall check(const posed_device &device, const posed_linear_desc &desc) {
  require_weight(device, desc.weight, posed_weight::Kind::linear, "linear");
  require_activation(desc.activation, "linear");
  const posed_weight &weight = *desc.weight;
  Expect of_x{.operation = "linear", .tensor = "x", .rank = 3, .broadcast = true, .device = &device};
  Expect of_y{.operation = "linear", .tensor = "y", .rank = 3, .device = &device};
  Expect of_gate{.operation = "linear",
                 .tensor = "gate",
                 .rank = 2,
                 .optional = true,
                 .broadcast = true,
                 .device = &device};
  Expect of_residual{.operation = "linear",
                     .tensor = "residual",
                     .rank = 3,
                     .optional = true,
                     .broadcast = true,
                     .device = &device};
  LinearCall call = {.x = resolve(desc.x, of_x),
                     .y = resolve(desc.y, of_y),
                     .weight = desc.weight,
                     .activation = desc.activation,
                     .gate = resolve(desc.gate, of_gate),
                     .residual = resolve(desc.residual, of_residual),
                     .batch = 0,
                     .tokens = 0};
  call.batch = call.x.shape[0];
  call.tokens = call.x.shape[1];
  require_shape(call.x, of_x, {call.batch, call.tokens, weight.in});
  require_shape(call.y, of_y, {call.batch, call.tokens, weight.out});
  require_type(call.x, of_x, carrier_of(weight.compute));
  require_type(call.y, of_y, carrier_of(weight.compute));
  if (call.gate) {
    require_shape(call.gate, of_gate, {call.batch, weight.out});
    require_type(call.gate, of_gate, POSED_F32);
  }
  if (call.residual) {
    require_shape(call.residual, of_residual, {call.batch, call.tokens, weight.out});
    require_type(call.residual, of_residual, call.y.dtype);
  }
  return call;
}

ConvCall check(const posed_device &device, const posed_conv2d_desc &desc) {
  require_weight(device, desc.weight, posed_weight::Kind::conv2d, "conv2d");
  require_activation(desc.activation, "conv2d");
  const Filter &filter = desc.weight->filter;
  Expect of_x{.operation = "conv2d", .tensor = "x", .rank = 4, .device = &device};
  Expect of_y{.operation = "conv2d", .tensor = "y", .rank = 4, .device = &device};
  Expect of_residual{
      .operation = "conv2d", .tensor = "residual", .rank = 4, .optional = true, .device = &device};
  ConvCall call = {.x = resolve(desc.x, of_x),
                   .y = resolve(desc.y, of_y),
                   .weight = desc.weight,
                   .activation = desc.activation,
                   .residual = resolve(desc.residual, of_residual)};
  const int64_t *x = call.x.shape;
  require_shape(call.x, of_x, {x[0], x[1], x[2], filter.in});
  int64_t height = x[1] * filter.upsample + filter.pad_top + filter.pad_bottom - filter.kernel_h;
  int64_t width = x[2] * filter.upsample + filter.pad_left + filter.pad_right - filter.kernel_w;
  if (height < 0 || width < 0) {
    fail(POSED_INVALID_ARGUMENT, "conv2d: x of shape %s is smaller than the %d×%d kernel.",
         call.x.shape_text().c_str(), filter.kernel_h, filter.kernel_w);
  }
  require_shape(call.y, of_y, {x[0], height / filter.stride_h + 1, width / filter.stride_w + 1, filter.out});
  require_dense(call.x, of_x);
  require_dense(call.y, of_y);
  require_type(call.x, of_x, desc.weight->compute);
  require_type(call.y, of_y, desc.weight->compute);
  if (call.residual) {
    const int64_t *y = call.y.shape;
    require_shape(call.residual, of_residual, {y[0], y[1], y[2], y[3]});
    require_dense(call.residual, of_residual);
    if (call.residual.dtype != call.y.dtype) {
      fail(POSED_INVALID_ARGUMENT, "conv2d: residual is %s; expected %s, the type of y.",
           name_of(call.residual.dtype).c_str(), name_of(call.y.dtype).c_str());
    }
  }
  return call;
}

namespace {

void check_cache(const posed_device &device, const posed_attention_desc &desc, AttentionCall &call) {
  call.cached.resize(static_cast<size_t>(call.batch));
  for (int64_t row = 0; row < call.batch; ++row) {
    std::string k_name = "cached[" + std::to_string(row) + "].k";
    std::string v_name = "cached[" + std::to_string(row) + "].v";
    Expect cached_k{
        .operation = "attention", .tensor = k_name.c_str(), .rank = 3, .optional = true, .device = &device};
    Expect cached_v{.operation = "attention", .tensor = v_name.c_str(), .rank = 3, .device = &device};
    CachedKV &kv = call.cached[static_cast<size_t>(row)];
    kv.k = resolve(desc.cached[row].k, cached_k);
    if (!kv.k) continue;
    kv.v = resolve(desc.cached[row].v, cached_v);
    kv.tokens = kv.k.shape[0];
    require_shape(kv.k, cached_k, {kv.tokens, call.heads, call.size});
    require_shape(kv.v, cached_v, {kv.tokens, call.heads, call.size});
    if (kv.k.dtype != call.q.dtype || kv.v.dtype != call.q.dtype) {
      fail(POSED_INVALID_ARGUMENT, "attention: cached[%lld] is %s and %s; expected %s, the type of q.",
           static_cast<long long>(row), name_of(kv.k.dtype).c_str(), name_of(kv.v.dtype).c_str(),
           name_of(call.q.dtype).c_str());
    }
  }
}

} // namespace

AttentionCall check(const posed_device &device, const posed_attention_desc &desc) {
  Expect of_q{.operation = "attention", .tensor = "q", .rank = 4, .broadcast = true, .device = &device};
  Expect of_k{.operation = "attention", .tensor = "k", .rank = 4, .broadcast = true, .device = &device};
  Expect of_v{.operation = "attention", .tensor = "v", .rank = 4, .broadcast = true, .device = &device};
  Expect of_y{.operation = "attention", .tensor = "y", .rank = 4, .device = &device};
  AttentionCall call = {.q = resolve(desc.q, of_q),
                        .k = resolve(desc.k, of_k),
                        .v = resolve(desc.v, of_v),
                        .y = resolve(desc.y, of_y),
                        .cached = {},
                        .scale = desc.scale,
                        .bias = {},
                        .batch = 0,
                        .queries = 0,
                        .keys = 0,
                        .heads = 0,
                        .size = 0};
  call.batch = call.q.shape[0];
  call.queries = call.q.shape[1];
  call.heads = call.q.shape[2];
  call.size = call.q.shape[3];
  call.keys = call.k.shape[1];
  require_shape(call.k, of_k, {call.batch, call.keys, call.heads, call.size});
  require_shape(call.v, of_v, {call.batch, call.keys, call.heads, call.size});
  require_shape(call.y, of_y, {call.batch, call.queries, call.heads, call.size});
  for (const auto &[view, expect] :
       {std::pair{&call.k, &of_k}, std::pair{&call.v, &of_v}, std::pair{&call.y, &of_y}}) {
    if (view->dtype != call.q.dtype) {
      fail(POSED_INVALID_ARGUMENT, "attention: %s is %s; expected %s, the type of q.", expect->tensor,
           name_of(view->dtype).c_str(), name_of(call.q.dtype).c_str());
    }
  }
  if (!std::isfinite(desc.scale)) {
    fail(POSED_INVALID_ARGUMENT, "attention: the scale is not a finite number.");
  }
  if (desc.bias.buffer != nullptr) {
    Expect of_bias{
        .operation = "attention", .tensor = "bias", .rank = 3, .broadcast = true, .device = &device};
    call.bias = resolve(desc.bias, of_bias);
    require_shape(call.bias, of_bias, {call.heads, call.queries, call.keys});
    require_type(call.bias, of_bias, POSED_F32);
  }
  if (desc.cached != nullptr) check_cache(device, desc, call);
  return call;
}

void check(const posed_linear_weight_desc &desc) {
  require_source(desc.data, desc.dtype, "linear weight");
  if (!is_float(desc.compute) && desc.compute != POSED_I8) {
    fail(POSED_INVALID_ARGUMENT, "linear weight: the compute type is %s; expected f32, f16, bf16 or i8.",
         name_of(desc.compute).c_str());
  }
  constexpr int64_t most = int64_t(1) << 24;
  if (desc.out < 1 || desc.in < 1 || desc.out > most || desc.in > most) {
    fail(POSED_INVALID_ARGUMENT, "linear weight: shape [%lld, %lld]; both must be 1 to 2²⁴.",
         static_cast<long long>(desc.out), static_cast<long long>(desc.in));
  }
}

void check(const posed_conv2d_weight_desc &desc) {
  require_source(desc.data, desc.dtype, "conv2d weight");
  if (!is_float(desc.compute)) {
    fail(POSED_INVALID_ARGUMENT, "conv2d weight: the compute type is %s; expected f32, f16 or bf16.",
         name_of(desc.compute).c_str());
  }
  constexpr int32_t most = 1 << 20, side = 255;
  if (desc.out < 1 || desc.in < 1 || desc.out > most || desc.in > most || desc.kernel_h < 1 ||
      desc.kernel_w < 1 || desc.kernel_h > side || desc.kernel_w > side) {
    fail(POSED_INVALID_ARGUMENT,
         "conv2d weight: shape [%d, %d, %d, %d]; channels must be 1 to 2²⁰, sides 1 to 255.", desc.out,
         desc.in, desc.kernel_h, desc.kernel_w);
  }
  for (int32_t pad : {desc.pad_top, desc.pad_left, desc.pad_bottom, desc.pad_right}) {
    if (pad >= 0 && pad <= side) continue;
    fail(POSED_INVALID_ARGUMENT, "conv2d weight: a padding of %d; expected 0 to %d.", pad, side);
  }
  if (desc.stride_h < 1 || desc.stride_w < 1 || desc.stride_h > side || desc.stride_w > side) {
    fail(POSED_INVALID_ARGUMENT, "conv2d weight: strides %d and %d; expected 1 to %d.", desc.stride_h,
         desc.stride_w, side);
  }
  bool enlarges = desc.upsample == 2;
  bool plain = desc.kernel_h == 3 && desc.kernel_w == 3 && desc.stride_h == 1 && desc.stride_w == 1 &&
               desc.pad_top == 1 && desc.pad_left == 1 && desc.pad_bottom == 1 && desc.pad_right == 1;
  if ((!enlarges && desc.upsample != 1) || (enlarges && !plain)) {
    fail(POSED_INVALID_ARGUMENT,
         "conv2d weight: upsample %d; expected 1, or 2 with a 3×3 kernel, stride 1 and padding 1.",
         desc.upsample);
  }
}

} // namespace posed
