// y[b, i, h] = Σ_j softmax_j(scale · q[b, i, h] · k[b, j, h] + bias[h, i, j]) v[b, j, h] by two oneDNN
// products. q, y [B, Tq, H, d]; k, v [B, Tk, H, d]; cached [Tc, H, d] for each row of the batch, or none;
// bias [H, Tq, Tk], of own keys, or none.
//
// A task takes a run of query rows of one head: it lays the head's keys and values, own and cached,
// side by side in scratch, fills up to the longest row with zeros, and works through its queries in
// groups of equal size, so that two primitives serve every row. Scores are float32; the probabilities
// take the operands' type.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "Library.h"
#include "posed_cpu/primitives.h"

namespace posed::onednn {
namespace {

using dnnl::memory;

constexpr int64_t kGroup = 32;

int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

memory::desc matrix(int64_t rows, int64_t columns, int64_t ld, memory::data_type type) {
  return memory::desc({rows, columns}, type, memory::dims{ld, 1});
}

/// Where a thread's scratch holds what. Offsets in bytes.
struct Arena {
  int64_t keys, values, queries, scores, shares, output, library, total;
};

struct Plan {
  int64_t keys;   // of the longest row
  int64_t groups; // of query rows, in a head
  int64_t pieces; // tasks of a head
  uint32_t type;
  LibraryCall score, combine;
  Arena arena;
};

Arena arena(int64_t keys, int64_t size, uint32_t type, int64_t library) {
  const auto element = static_cast<int64_t>(size_of(type));
  Arena a{};
  a.values = aligned(keys * size * element);
  a.queries = 2 * a.values;
  a.scores = a.queries + aligned(kGroup * size * element);
  a.shares = a.scores + aligned(kGroup * keys * 4);
  a.output = a.shares + aligned(kGroup * keys * element);
  a.library = a.output + aligned(kGroup * size * 4);
  a.total = a.library + aligned(library);
  return a;
}

Plan plan(const Library &library, const AttentionCall &call) {
  int64_t keys = call.keys;
  for (const CachedKV &kv : call.cached) keys = std::max(keys, call.keys + kv.tokens);
  const int64_t size = call.size;
  const auto type = library_type(call.q.dtype), f32 = memory::data_type::f32;
  memory::desc transposed({size, keys}, type, memory::dims{1, size});
  LibraryCall score =
      make_matmul(library, matrix(kGroup, size, size, type), transposed, matrix(kGroup, keys, keys, f32));
  LibraryCall combine = make_matmul(library, matrix(kGroup, keys, keys, type), matrix(keys, size, size, type),
                                    matrix(kGroup, size, size, f32));
  auto scratch = static_cast<int64_t>(std::max(score.scratch_bytes(), combine.scratch_bytes()));
  const int64_t groups = blocks(call.queries, kGroup);
  const int64_t threads = static_cast<int64_t>(library.streams.size());
  const int64_t heads = call.batch * call.heads;
  const int64_t pieces = heads % threads == 0 ? 1 : blocks(4 * threads, heads);
  return {keys,
          groups,
          std::min(pieces, groups),
          call.q.dtype,
          score,
          combine,
          arena(keys, size, call.q.dtype, scratch)};
}

/// e^x for x ≤ 0, to float32's precision but for its last bits; written for the vectorizer.
inline float exponential(float x) {
  x = std::max(x, -87.f) * 1.44269504f;
  const float magic = 12582912.f; // 1.5 · 2²³: adding it rounds to a whole number
  const float shifted = x + magic, whole = shifted - magic, f = x - whole;
  float p = 1.3333558e-3f;
  p = p * f + 9.6181291e-3f;
  p = p * f + 5.5504109e-2f;
  p = p * f + 2.4022651e-1f;
  p = p * f + 6.9314718e-1f;
  p = p * f + 1.f;
  uint32_t power; // the whole number stands in the lowest bits; a NaN's p stays one
  __builtin_memcpy(&power, &shifted, sizeof power);
  power = (power + 127) << 23;
  float factor;
  __builtin_memcpy(&factor, &power, sizeof factor);
  return p * factor;
}

/// Scores of `keys` keys to probabilities, in place; `bias` of the first `biased` keys, or null.
void softmax(float *row, int64_t keys, float scale, const float *bias, int64_t biased) {
  float most = -INFINITY;
  for (int64_t j = 0; j < keys; j++) row[j] *= scale;
  for (int64_t j = 0; bias != nullptr && j < biased; j++) row[j] += bias[j];
  for (int64_t j = 0; j < keys; j++) most = std::max(most, row[j]);
  for (int64_t j = 0; j < keys; j++) row[j] = exponential(row[j] - most);
  float sums[16] = {};
  int64_t j = 0;
  for (; j + 16 <= keys; j += 16)
    for (int64_t lane = 0; lane < 16; lane++) sums[lane] += row[j + lane];
  for (; j < keys; j++) sums[0] += row[j];
  float sum = 0;
  for (float part : sums) sum += part;
  const float share = 1.f / sum;
  for (int64_t i = 0; i < keys; i++) row[i] *= share;
}

class LibraryAttention final : public Operation {
public:
  LibraryAttention(const AttentionCall &call, const Plan &plan)
      : Operation({static_cast<int>(call.batch * call.heads * plan.pieces)},
                  static_cast<size_t>(plan.arena.total)),
        call_(call), plan_(plan) {}

  void run(int, int task, Worker &worker) override {
    const int64_t head = task / plan_.pieces % call_.heads;
    const int64_t row = task / plan_.pieces / call_.heads;
    const CachedKV none, &cached = call_.cached.empty() ? none : call_.cached[static_cast<size_t>(row)];
    gather(call_.k, cached.k, cached.tokens, row, head, worker.scratch + plan_.arena.keys);
    gather(call_.v, cached.v, cached.tokens, row, head, worker.scratch + plan_.arena.values);
    const Range groups = piece(plan_.groups, task % plan_.pieces, plan_.pieces);
    for (int64_t group = groups.first; group < groups.last; group++)
      attend(row, head, group, call_.keys + cached.tokens, worker);
  }

private:
  void copy(std::byte *to, const std::byte *from) const {
    std::memcpy(to, from, static_cast<size_t>(call_.size) * size_of(plan_.type));
  }

  /// Rows of one head, own and cached, then zeros [keys, d].
  void gather(const View &own, const View &cached, int64_t cached_tokens, int64_t row, int64_t head,
              std::byte *to) const {
    const auto element = static_cast<int64_t>(size_of(plan_.type)), step = call_.size * element;
    for (int64_t j = 0; j < call_.keys; j++, to += step)
      copy(to, own.at(row, j) + head * own.stride[2] * element);
    for (int64_t j = 0; j < cached_tokens; j++, to += step)
      copy(to, cached.at(j) + head * cached.stride[1] * element);
    std::fill_n(to, (plan_.keys - call_.keys - cached_tokens) * step, std::byte(0));
  }

  void attend(int64_t row, int64_t head, int64_t group, int64_t keys, Worker &worker) const {
    const auto element = static_cast<int64_t>(size_of(plan_.type));
    const Arena &a = plan_.arena;
    std::byte *base = worker.scratch;
    auto *scores = reinterpret_cast<float *>(base + a.scores);
    auto *output = reinterpret_cast<float *>(base + a.output);
    const int64_t first = group * kGroup, rows = std::min(kGroup, call_.queries - first);
    std::byte *queries = base + a.queries;
    for (int64_t i = 0; i < rows; i++)
      copy(queries + i * call_.size * element,
           call_.q.at(row, first + i) + head * call_.q.stride[2] * element);
    std::fill_n(queries + rows * call_.size * element, (kGroup - rows) * call_.size * element, std::byte(0));
    plan_.score.run(worker.index, queries, base + a.keys, scores, base + a.library);
    for (int64_t i = 0; i < kGroup; i++) {
      const float *bias = i < rows ? call_.bias_row(head, first + i) : nullptr;
      softmax(scores + i * plan_.keys, keys, call_.scale, bias, call_.keys);
      std::fill(scores + i * plan_.keys + keys, scores + (i + 1) * plan_.keys, 0.f);
    }
    primitives().convert(base + a.shares, plan_.type, scores, POSED_F32, kGroup * plan_.keys);
    plan_.combine.run(worker.index, base + a.shares, base + a.values, output, base + a.library);
    for (int64_t i = 0; i < rows; i++)
      primitives().convert(call_.y.at(row, first + i) + head * call_.y.stride[2] * element, plan_.type,
                           output + i * call_.size, POSED_F32, call_.size);
  }

  const AttentionCall call_;
  const Plan plan_;
};

} // namespace

OperationPointer plan_library_attention(const Library &library, const AttentionCall &call) {
  OneThread one;
  return std::make_unique<LibraryAttention>(call, plan(library, call));
}

} // namespace posed::onednn
