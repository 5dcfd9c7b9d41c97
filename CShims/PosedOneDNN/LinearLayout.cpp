#include "LinearLayout.h"

namespace posed::onednn {
namespace {

int64_t row_stride(const View &view, int64_t tokens) { return tokens == 1 ? view.stride[0] : view.stride[1]; }

/// Whether element b + 1 of the batch starts where element b's rows would go on.
bool follows_on(const View &view, int64_t tokens) {
  return !view || view.shape[0] == 1 || tokens == 1 || view.stride[0] == tokens * view.stride[1];
}

} // namespace

Layout lay_out(const LinearCall &call) {
  const int64_t tokens = call.tokens;
  bool one_gate = !call.gate || call.batch == 1 || call.gate.stride[0] == 0;
  bool one = one_gate && follows_on(call.x, tokens) && follows_on(call.y, tokens) &&
             follows_on(call.residual, tokens);
  bool by_batch = one && call.batch > 1;
  auto stride = [&](const View &view) {
    if (!view) return int64_t(0);
    return by_batch ? row_stride(view, tokens) : view.stride[1];
  };
  Layout layout{};
  layout.groups = one ? 1 : call.batch;
  layout.rows = one ? call.batch * tokens : tokens;
  layout.x_row = stride(call.x);
  layout.y_row = stride(call.y);
  layout.residual_row = stride(call.residual);
  layout.x_group = call.x.stride[0];
  layout.y_group = call.y.stride[0];
  layout.residual_group = call.residual ? call.residual.stride[0] : 0;
  layout.gate_group = call.gate ? call.gate.stride[0] : 0;
  return layout;
}

} // namespace posed::onednn
