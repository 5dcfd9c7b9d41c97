// What the attention kernels share: where a block's rows lie, and the keys and values it walks through:
// the row's own, then its cached ones, in tiles of one length.
#pragma once

#include "elements.cuh"

namespace posed::cuda {

/// One block's part: a tile of the queries of one head of one row of the batch.
struct AttentionPart {
  int row, head, query0;
};

/// Grid: (query tiles, heads, rows).
__device__ inline AttentionPart attention_part(int queries) {
  return {int(blockIdx.z), int(blockIdx.y), int(blockIdx.x) * queries};
}

constexpr float log2_e = 1.4426950408889634f;

/// A tile of keys and values: `count` tokens from addresses of elements of the head.
struct KeyTile {
  const void *k, *v;
  Index k0, v0, k_token, v_token; // element of the first token, and from one to the next
  int count;
  const float *bias; // of the head's query 0 and the first token, or null

  /// What is added to the scaled score of a query and the tile's token `key`. Neither need exist.
  __device__ inline float bias_at(const AttentionParameters &p, int query, int key) const {
    const bool there = query < p.queries && key < count;
    return there ? log2_e * bias[query * p.bias_query + key] : 0;
  }
};

/// The tiles of `length` tokens that a row's own keys make; the cached ones follow.
struct KeyTiles {
  int own, all;
};

__device__ inline KeyTiles key_tiles(const AttentionParameters &p, int row, int length) {
  int own = (p.keys + length - 1) / length;
  int cached = p.has_cache ? (p.cached[row].tokens + length - 1) / length : 0;
  return {own, own + cached};
}

__device__ inline KeyTile key_tile(const AttentionParameters &p, const AttentionPart &part, KeyTiles tiles,
                                   int tile, int length) {
  if (tile < tiles.own) {
    Index token = Index(tile) * length;
    Index rest = p.keys - token;
    return {p.k,
            p.v,
            part.row * p.k_batch + part.head * p.k_head + token * p.k_token,
            part.row * p.v_batch + part.head * p.v_head + token * p.v_token,
            p.k_token,
            p.v_token,
            int(rest < length ? rest : length),
            p.bias ? p.bias + part.head * p.bias_head + token : nullptr};
  }
  const KeysAndValues &c = p.cached[part.row];
  Index token = Index(tile - tiles.own) * length;
  Index rest = c.tokens - token;
  return {c.k,
          c.v,
          part.head * c.k_head + token * c.k_token,
          part.head * c.v_head + token * c.v_token,
          c.k_token,
          c.v_token,
          int(rest < length ? rest : length),
          nullptr};
}

/// Copies `lines` rows of `size` 16-bit elements to shared memory, `pitch` bytes apart and `padded` elements
/// long; what is beyond `count` rows or `size` elements becomes zero.
template <class T, int lines, int padded, int threads>
__device__ inline void copy_lines(unsigned char *to, int pitch, const void *from, Index first, Index stride,
                                  int count, int size, bool vectors) {
  constexpr int chunks = padded / 8;
  const T *source = static_cast<const T *>(from);
#pragma unroll 4
  for (int i = threadIdx.x; i < lines * chunks; i += threads) {
    const int line = i / chunks, column = i % chunks * 8;
    unsigned char *place = to + line * pitch + column * 2;
    const bool valid = line < count && column < size;
    const Index at = valid ? first + line * stride + column : 0;
    if (vectors) {
      copy_async(place, source + at, valid);
    } else {
      Words4 words = {};
#pragma unroll
      for (int k = 0; k < 8; ++k) {
        if (valid && column + k < size) words.at[k / 2] |= unsigned(source[at + k].bits) << (16 * (k % 2));
      }
      *reinterpret_cast<Words4 *>(place) = words;
    }
  }
}

} // namespace posed::cuda
