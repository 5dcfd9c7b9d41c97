// y[b, i, h] = Σ_j softmax_j(scale · q[b, i, h] · k[b, j, h] + bias[h, i, j]) v[b, j, h] in bfloat16.
// q, y [B, Tq, H, d]; k, v [B, Tk, H, d]; cached [Tc, H, d] for each row of the batch, or none; bias
// [H, Tq, Tk] float32, of own keys, or none.
//
// A task is a run of query groups of one head. Every task packs its head's keys and values anew, a
// few percent of its work; tasks are as long as they can be while there are enough of them.
#include <algorithm>

#include "packing.h"
#include "panels.h"

namespace posed::reduced {
namespace {

/// What is added to the scores of a group's queries with the first `keys` keys; `data` null: nothing.
struct BiasRows {
  const float *data = nullptr;
  int64_t ld = 0;
  int64_t keys = 0;
};

constexpr int64_t most_group_rows = 128;

struct HeadShape {
  const Engine *engine;
  int64_t keys; // own and cached together
  int64_t head_size;
  int64_t group; // most query rows that share one pass over the keys

  /// With a group that suits the caches.
  static HeadShape fitting(const Engine &engine, int64_t keys, int64_t head_size);

  int64_t padded_keys() const { return round_up(keys, panel_columns); }
  int64_t padded_head() const { return round_up(head_size, panel_columns); }
  int64_t pairs() const { return engine->pairs(head_size); }
  int64_t ld_scores() const { return padded_keys() + 16; } // off the caches' period
  /// Query rows must be copied to make room for the zeros of the last pairs.
  bool copies_queries() const { return head_size != pairs() * 2; }
  /// Bytes of scratch memory that one thread needs.
  int64_t scratch_bytes() const {
    const int64_t packed = 2 * padded_keys() * padded_head() * 2;
    return packed + group * padded_head() * 2 + group * ld_scores() * 4;
  }
};

HeadShape HeadShape::fitting(const Engine &engine, int64_t keys, int64_t head_size) {
  HeadShape shape{&engine, keys, head_size, engine.tile_rows};
  // Short rows: scores stay in the first cache. Long ones: keys pass through the caches, so that
  // several tiles share each pass.
  constexpr int64_t near = 128 << 10, scores = 256 << 10;
  if (shape.padded_keys() * shape.padded_head() * 4 <= near) return shape;
  int64_t tiles = scores / (shape.ld_scores() * 4) / engine.tile_rows;
  shape.group *= std::clamp<int64_t>(tiles, 1, most_group_rows / engine.tile_rows);
  return shape;
}

/// One head. Keys and values are packed once, keys as panels [d/2][32 keys][2], values as panels
/// [keys/2][32 features][2]. A group of query rows then takes three passes: scores (float32), softmax in
/// place (the probabilities become bfloat16 over the scores), products with the values.
class Head {
public:
  Head(const HeadShape &shape, void *scratch) : shape_(shape) {
    const int64_t elements = shape.padded_keys() * shape.padded_head();
    keys_ = static_cast<bf16 *>(scratch);
    values_ = keys_ + elements;
    queries_ = values_ + elements;
    scores_ = reinterpret_cast<float *>(queries_ + shape.group * shape.padded_head());
  }

  void pack(const Rows &k, const Rows &cached_k, const Rows &v, const Rows &cached_v) {
    const int64_t padded = shape_.padded_keys(), pairs = shape_.pairs();
    if (shape_.copies_queries()) std::fill_n(keys_, padded * pairs * 2, bf16(0));
    pack_keys(k, cached_k, shape_.head_size, pairs, padded, keys_);
    pack_values(v, cached_v, shape_.head_size, padded, values_);
  }

  /// y rows `ld_y` apart for the query rows of `q`, at most `group`.
  void attend(const Rows &q, bf16 *y, int64_t ld_y, float scale, const BiasRows &bias) {
    const RowCut cut(q.count, *shape_.engine);
    float sums[most_group_rows];
    score(cut, q);
    for (int64_t i = 0; i < q.count; i++) {
      float *row = scores_ + i * shape_.ld_scores();
      if (bias.data) add_bias(row, bias.data + i * bias.ld, bias.keys, shape_.padded_keys(), scale);
      const float factor = (bias.data ? 1.f : scale) * 1.44269504f;
      sums[i] = shape_.engine->rounding->softmax_row(row, shape_.keys, shape_.padded_keys(), factor);
    }
    sum_values(cut, sums, y, ld_y);
  }

private:
  /// Rows of scores [group, keys].
  void score(const RowCut &cut, const Rows &q) {
    const int64_t ld = shape_.ld_scores(), pairs = shape_.pairs();
    Rows queries = q;
    if (shape_.copies_queries()) { // the last pairs must not read the neighbour's features
      for (int64_t i = 0; i < q.count; i++) {
        bf16 *row = queries_ + i * pairs * 2;
        std::copy_n(q.data + i * q.ld, shape_.head_size, row);
        std::fill_n(row + shape_.head_size, pairs * 2 - shape_.head_size, bf16(0));
      }
      queries = {queries_, pairs * 2, q.count};
    }
    Microtile m{};
    m.ld_a = queries.ld;
    m.pairs = pairs;
    m.ld_tile = ld;
    m.ahead_step = 64;
    for (int64_t j = 0; j < shape_.padded_keys(); j += panel_columns) {
      m.panel = keys_ + j * pairs * 2;
      for (int64_t c = 0; c < cut.count; c++) {
        const int64_t row = cut.first(c);
        m.a = queries.data + row * queries.ld;
        m.tile = scores_ + row * ld + j;
        m.ahead = (const char *)(m.panel + pairs * panel_columns * 2) + c % 2 * pairs * 64;
        shape_.engine->microtile[cut.first(c + 1) - row](m);
      }
    }
  }

  /// y = probabilities · V / their sums.
  void sum_values(const RowCut &cut, const float *sums, bf16 *y, int64_t ld_y) {
    alignas(64) float tile[most_tile_rows * panel_columns];
    const int64_t ld = shape_.ld_scores();
    Microtile m{};
    m.ld_a = ld * 2;
    m.pairs = shape_.padded_keys() / 2;
    m.tile = tile;
    m.ld_tile = panel_columns;
    m.ahead_step = 64;
    for (int64_t f = 0; f < shape_.head_size; f += panel_columns) {
      m.panel = values_ + f * shape_.padded_keys();
      const int64_t columns = std::min(panel_columns, shape_.head_size - f);
      for (int64_t c = 0; c < cut.count; c++) {
        const int64_t row = cut.first(c), rows = cut.first(c + 1) - row;
        m.a = reinterpret_cast<const bf16 *>(scores_) + row * ld * 2;
        m.ahead = (const char *)(m.panel + m.pairs * panel_columns * 2) + c % 2 * m.pairs * 64;
        shape_.engine->microtile[rows](m);
        shape_.engine->rounding->store_scaled(tile, rows, columns, sums + row, y + row * ld_y + f, ld_y);
      }
    }
  }

  const HeadShape shape_;
  bf16 *keys_, *values_, *queries_;
  float *scores_;
};

struct Cut {
  HeadShape shape; // of the longest row
  int64_t groups;  // of query rows, in a head
  int64_t pieces;  // tasks of a head
};

Cut cut(const posed_device &device, const Engine &engine, const AttentionCall &call) {
  int64_t cached = 0;
  for (const CachedKV &kv : call.cached) cached = std::max(cached, kv.tokens);
  HeadShape shape = HeadShape::fitting(engine, call.keys + cached, call.size);
  Cut result{shape, ceil_div(call.queries, shape.group), 1};
  const int64_t heads = call.batch * call.heads, threads = device.pool.threads();
  if (heads % threads == 0 || heads > 8 * threads) return result;
  // A piece needs queries enough to pay for its packing.
  int64_t worth = std::max<int64_t>(1, call.queries / 64);
  result.pieces = std::min({ceil_div(4 * threads, heads), worth, result.groups});
  return result;
}

class Attention final : public Operation {
public:
  Attention(const AttentionCall &call, const Cut &cut)
      : Operation({static_cast<int>(call.batch * call.heads * cut.pieces)},
                  static_cast<size_t>(round_up(cut.shape.scratch_bytes(), 64))),
        call_(call), cut_(cut) {}

  void run(int, int task, Worker &worker) override {
    const int64_t head = task / cut_.pieces % call_.heads;
    const int64_t row = task / cut_.pieces / call_.heads;
    HeadShape shape = cut_.shape;
    Rows k = rows(call_.k, row, head), v = rows(call_.v, row, head), cached_k, cached_v;
    shape.keys = call_.keys;
    if (!call_.cached.empty() && call_.cached[static_cast<size_t>(row)].tokens > 0) {
      const CachedKV &cached = call_.cached[static_cast<size_t>(row)];
      shape.keys += cached.tokens;
      cached_k = cached_rows(cached.k, head);
      cached_v = cached_rows(cached.v, head);
    }
    const EngineUse use(*shape.engine);
    Head kernel(shape, worker.scratch);
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

OperationPointer plan_attention(posed_device &device, const Engine &engine, const AttentionCall &call) {
  return std::make_unique<Attention>(call, cut(device, engine, call));
}

} // namespace posed::reduced
