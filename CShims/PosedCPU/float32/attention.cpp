// y[b, i, h] = Σ_j softmax_j(scale · q[b, i, h] · k[b, j, h] + bias[h, i, j]) v[b, j, h], own keys first,
// then the row's cached ones, which have no bias. q, y [B, Tq, H, d]; k, v [B, Tk, H, d]; bias [H, Tq, Tk].
//
// A task takes one head and a block of queries. Queries lie in the lanes: S = K · Qᵀ is [keys,
// queries], so the softmax runs down the rows without a horizontal step, and y = Sᵀ · V. Keys come in
// blocks; the largest score and the sum of weights are carried along (online softmax), and what was
// summed is faded when a larger score turns up. Nothing of size [Tq, Tk] exists.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "float32.h"
#include "posed_host/device.h"
#include "posed_host/primitives.h"

namespace posed::float32 {
namespace {

constexpr int64_t key_step = 512;

struct Layout {
  int64_t panel, queries, padded_size; // queries of a block; d rounded up to whole panels
  // Offsets in the scratch, in floats.
  int64_t q, scores, values, sums, maximum, total, fade, end;
};

Layout layout(const AttentionCall &call) {
  Layout l = {};
  l.panel = primitives().panel;
  l.queries = std::min(blocks(call.queries, l.panel) * l.panel, std::max<int64_t>(64, l.panel));
  l.padded_size = blocks(call.size, l.panel) * l.panel;
  int64_t at = 0;
  auto reserve = [&](int64_t floats) {
    int64_t here = at;
    at += blocks(floats, 16) * 16;
    return here;
  };
  l.q = reserve(call.size * l.queries);
  l.scores = reserve(key_step * l.queries);
  l.values = reserve(l.padded_size == call.size ? 0 : key_step * l.padded_size);
  l.sums = reserve(l.queries * l.padded_size);
  l.maximum = reserve(l.queries);
  l.total = reserve(l.queries);
  l.fade = reserve(l.queries);
  l.end = at;
  return l;
}

class Attention final : public Operation {
public:
  Attention(const AttentionCall &call, const Layout &layout)
      : Operation({static_cast<int>(call.batch * call.heads * blocks(call.queries, layout.queries))},
                  static_cast<size_t>(layout.end) * sizeof(float)),
        call_(call), l_(layout), query_blocks_(blocks(call.queries, layout.queries)) {}

  void run(int, int task, Worker &worker) override {
    auto *scratch = reinterpret_cast<float *>(worker.scratch);
    int64_t block = task % query_blocks_, head = task / query_blocks_ % call_.heads;
    int64_t b = task / query_blocks_ / call_.heads;
    Range queries = piece(call_.queries, block, query_blocks_);
    gather_queries(b, head, queries, scratch);
    std::fill_n(scratch + l_.maximum, l_.queries, -std::numeric_limits<float>::infinity());
    std::fill_n(scratch + l_.total, l_.queries, 0.0f);
    bool first = true;
    const View &k = call_.k, &v = call_.v;
    attend({at(k, b, 0, head), k.stride[1]}, {at(v, b, 0, head), v.stride[1]}, call_.keys, queries.size(),
           first, head, queries.first, scratch);
    if (!call_.cached.empty()) {
      const CachedKV &cached = call_.cached[static_cast<size_t>(b)];
      if (cached.tokens > 0) {
        attend({cached.k.as<float>() + head * cached.k.stride[1], cached.k.stride[0]},
               {cached.v.as<float>() + head * cached.v.stride[1], cached.v.stride[0]}, cached.tokens,
               queries.size(), first, head, unbiased, scratch);
      }
    }
    scatter(b, head, queries, scratch);
  }

private:
  struct Matrix {
    const float *data;
    int64_t row;
  };
  /// In place of the first query: these keys have no bias.
  static constexpr int64_t unbiased = -1;

  static float *at(const View &view, int64_t b, int64_t t, int64_t head) {
    return view.as<float>() + b * view.stride[0] + t * view.stride[1] + head * view.stride[2];
  }

  /// Qᵀ in panels: [queries / panel][d][panel].
  void gather_queries(int64_t b, int64_t head, Range queries, float *scratch) const {
    float *q = scratch + l_.q;
    for (int64_t i = 0; i < l_.queries; ++i) {
      float *to = q + i / l_.panel * call_.size * l_.panel + i % l_.panel;
      if (i < queries.size()) {
        const float *from = at(call_.q, b, queries.first + i, head);
        for (int64_t c = 0; c < call_.size; ++c) to[c * l_.panel] = from[c];
      } else {
        for (int64_t c = 0; c < call_.size; ++c) to[c * l_.panel] = 0.0f;
      }
    }
  }

  void attend(Matrix keys, Matrix values, int64_t count, int64_t queries, bool &first, int64_t head,
              int64_t query, float *scratch) const {
    const bool biased = call_.bias && query != unbiased;
    for (int64_t key = 0; key < count; key += key_step) {
      int64_t some = std::min(key_step, count - key);
      score({keys.data + key * keys.row, keys.row}, some, scratch);
      if (biased) add_bias(head, {query, query + queries}, key, some, scratch + l_.scores);
      primitives().softmax_block(scratch + l_.scores, some, l_.queries, biased ? 1.0f : call_.scale,
                                 scratch + l_.maximum, scratch + l_.total, scratch + l_.fade);
      if (!first) fade(queries, scratch);
      add({values.data + key * values.row, values.row}, some, queries, first, scratch);
      first = false;
    }
  }

  void score(Matrix keys, int64_t count, float *scratch) const {
    for (int64_t q = 0; q < l_.queries; q += l_.panel) {
      primitives().product({.a = keys.data,
                            .a_stride = keys.row,
                            .offsets = nullptr,
                            .segments = 1,
                            .length = call_.size,
                            .b = scratch + l_.q + q * call_.size,
                            .b_row = l_.panel,
                            .c = scratch + l_.scores + q,
                            .c_row = l_.queries,
                            .rows = count,
                            .add = false});
    }
  }

  /// S [keys, queries] becomes scale · S + bias, in squares that stay in the first cache.
  void add_bias(int64_t head, Range queries, int64_t key, int64_t keys, float *scores) const {
    constexpr int64_t side = 16;
    for (int64_t j0 = 0; j0 < keys; j0 += side) {
      const int64_t j1 = std::min(keys, j0 + side);
      for (int64_t i = 0; i < l_.queries; ++i) {
        const bool real = i < queries.size();
        const float *bias = real ? call_.bias_row(head, queries.first + i) + key : nullptr;
        for (int64_t j = j0; j < j1; ++j) {
          float &score = scores[j * l_.queries + i];
          score = score * call_.scale + (real ? bias[j] : 0.0f);
        }
      }
    }
  }

  void fade(int64_t queries, float *scratch) const {
    for (int64_t i = 0; i < queries; ++i) {
      float factor = scratch[l_.fade + i];
      float *sums = scratch + l_.sums + i * l_.padded_size;
      for (int64_t c = 0; c < l_.padded_size; ++c) sums[c] *= factor;
    }
  }

  void add(Matrix values, int64_t count, int64_t queries, bool first, float *scratch) const {
    if (l_.padded_size != call_.size) {
      float *padded = scratch + l_.values;
      for (int64_t i = 0; i < count; ++i) {
        float *row = padded + i * l_.padded_size;
        std::memcpy(row, values.data + i * values.row, static_cast<size_t>(call_.size) * sizeof(float));
        std::fill_n(row + call_.size, l_.padded_size - call_.size, 0.0f);
      }
      values = {padded, l_.padded_size};
    }
    for (int64_t c = 0; c < l_.padded_size; c += l_.panel) {
      primitives().product_transposed({.a = scratch + l_.scores,
                                       .a_stride = l_.queries,
                                       .offsets = nullptr,
                                       .segments = 1,
                                       .length = count,
                                       .b = values.data + c,
                                       .b_row = values.row,
                                       .c = scratch + l_.sums + c,
                                       .c_row = l_.padded_size,
                                       .rows = queries,
                                       .add = !first});
    }
  }

  void scatter(int64_t b, int64_t head, Range queries, const float *scratch) const {
    for (int64_t i = 0; i < queries.size(); ++i) {
      float factor = 1.0f / scratch[l_.total + i];
      const float *sums = scratch + l_.sums + i * l_.padded_size;
      float *y = at(call_.y, b, queries.first + i, head);
      for (int64_t c = 0; c < call_.size; ++c) y[c] = sums[c] * factor;
    }
  }

  const AttentionCall call_;
  const Layout l_;
  const int64_t query_blocks_;
};

} // namespace

OperationPointer plan_attention(posed_device &, const AttentionCall &call) {
  return std::make_unique<Attention>(call, layout(call));
}

} // namespace posed::float32
