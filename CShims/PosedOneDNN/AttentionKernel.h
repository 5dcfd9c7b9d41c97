// Attention of one head on AVX-512 with BF16:
//
//   y[i] = Σ_j p[i, j] v[j],   p[i, ·] = softmax(scale · q[i] · k[·] + bias[i, ·])
//
// Keys and values are read where they lie, own rows first and cached ones after, and packed once per
// head: keys as panels [d/2][32 keys][2], values as panels [keys/2][32 features][2]. A group of query
// rows then takes three passes: scores (float32), softmax in place (the probabilities become bfloat16
// over the scores), products with the values.
#pragma once

#include "Gemm.h"

namespace posed::onednn {

/// Rows of bfloat16, `ld` elements apart.
struct Rows {
  const bf16 *data = nullptr;
  int64_t ld = 0;
  int64_t count = 0;
};

/// What is added to the scores of a group's queries with the first `keys` keys; `data` null: nothing.
struct BiasRows {
  const float *data = nullptr;
  int64_t ld = 0;
  int64_t keys = 0;
};

struct AttentionShape {
  const Engine *engine;
  int64_t keys; // own and cached together
  int64_t head_size;
  int64_t group; // most query rows that share one pass over the keys

  /// With a group that suits the caches.
  static AttentionShape fitting(const Engine &engine, int64_t keys, int64_t head_size);

  int64_t padded_keys() const { return round_up(keys, kPanel); }
  int64_t padded_head() const { return round_up(head_size, kPanel); }
  int64_t pairs() const { return engine->pairs(head_size); }
  int64_t ld_scores() const { return padded_keys() + 16; } // off the caches' period
  /// Query rows must be copied to make room for the zeros of the last pairs.
  bool copies_queries() const { return head_size != pairs() * 2; }
  /// Bytes of scratch memory that one thread needs.
  int64_t scratch_bytes() const;
};

class AttentionHead {
public:
  AttentionHead(const AttentionShape &shape, void *scratch);

  void pack(const Rows &k, const Rows &cached_k, const Rows &v, const Rows &cached_v);
  /// y rows `ld_y` apart for the query rows of `q`, at most `group`.
  void attend(const Rows &q, bf16 *y, int64_t ld_y, float scale, const BiasRows &bias);

private:
  AttentionShape shape_;
  bf16 *keys_, *values_, *queries_;
  float *scores_;
};

} // namespace posed::onednn
