// y[b, i, h] = Σ_j softmax_j(scale · q[b, i, h] · k[b, j, h] + bias[h, i, j]) v[b, j, h] in bfloat16.
// q, y [B, Tq, H, d]; k, v [B, Tk, H, d]; cached [Tc, H, d] for each row of the batch, or none; bias
// [H, Tq, Tk] float32, of own keys, or none.
//
// A task is a run of query groups of one head. Every task packs its head's keys and values anew, a
// few percent of its work; tasks are as long as they can be while there are enough of them.
#include <algorithm>

#include "AttentionKernel.h"
#include "Panels.h"

namespace posed::onednn {
namespace {

struct Cut {
  AttentionShape shape; // of the longest row
  int64_t groups;       // of query rows, in a head
  int64_t pieces;       // tasks of a head
};

Cut cut(const posed_device &device, const Engine &engine, const AttentionCall &call) {
  int64_t cached = 0;
  for (const CachedKV &kv : call.cached) cached = std::max(cached, kv.tokens);
  AttentionShape shape = AttentionShape::fitting(engine, call.keys + cached, call.size);
  Cut result{shape, ceil_div(call.queries, shape.group), 1};
  const int64_t heads = call.batch * call.heads, threads = device.pool.threads();
  if (heads % threads == 0 || heads > 8 * threads) return result;
  // A piece needs queries enough to pay for its packing.
  int64_t worth = std::max<int64_t>(1, call.queries / 64);
  result.pieces = std::min({ceil_div(4 * threads, heads), worth, result.groups});
  return result;
}

class PanelAttention final : public Operation {
public:
  PanelAttention(const AttentionCall &call, const Cut &cut)
      : Operation({static_cast<int>(call.batch * call.heads * cut.pieces)},
                  static_cast<size_t>(round_up(cut.shape.scratch_bytes(), 64))),
        call_(call), cut_(cut) {}

  void run(int, int task, Worker &worker) override {
    const int64_t head = task / cut_.pieces % call_.heads;
    const int64_t row = task / cut_.pieces / call_.heads;
    AttentionShape shape = cut_.shape;
    Rows k = rows(call_.k, row, head), v = rows(call_.v, row, head), cached_k, cached_v;
    shape.keys = call_.keys;
    if (!call_.cached.empty() && call_.cached[static_cast<size_t>(row)].tokens > 0) {
      const CachedKV &cached = call_.cached[static_cast<size_t>(row)];
      shape.keys += cached.tokens;
      cached_k = cached_rows(cached.k, head);
      cached_v = cached_rows(cached.v, head);
    }
    const EngineUse use(*shape.engine);
    AttentionHead kernel(shape, worker.scratch);
    kernel.pack(k, cached_k, v, cached_v);
    const Range groups = piece(cut_.groups, task % cut_.pieces, cut_.pieces);
    const Rows q = rows(call_.q, row, head);
    const View &y = call_.y;
    for (int64_t group = groups.first; group < groups.last; group++) {
      const Range part = piece(q.count, group, cut_.groups);
      bf16 *to = y.as<bf16>() + row * y.stride[0] + part.first * y.stride[1] + head * y.stride[2];
      const BiasRows bias = {call_.bias_row(head, part.first), call_.bias.stride[1], call_.keys};
      kernel.attend({q.data + part.first * q.ld, q.ld, part.size()}, to, y.stride[1], call_.scale, bias);
    }
  }

private:
  static Rows rows(const View &view, int64_t row, int64_t head) {
    return {view.as<bf16>() + row * view.stride[0] + head * view.stride[2], view.stride[1], view.shape[1]};
  }
  static Rows cached_rows(const View &view, int64_t head) {
    return {view.as<bf16>() + head * view.stride[1], view.stride[0], view.shape[0]};
  }

  const AttentionCall call_;
  const Cut cut_;
};

} // namespace

OperationPointer plan_panel_attention(posed_device &device, const Engine &engine, const AttentionCall &call) {
  return std::make_unique<PanelAttention>(call, cut(device, engine, call));
}

} // namespace posed::onednn
