// y[b, i, h] = Σ_j softmax_j(scale · q[b, i, h] · k[b, j, h] + bias[h, i, j]) v[b, j, h], own keys first,
// then the row's cached ones, which have no bias.
//
// A task takes some queries of one head. It gathers queries, keys and values side by side, makes all scores
// [queries, keys] by one product, their softmax row by row, and the sums of values by another.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "blas.h"
#include "kernels.h"

namespace posed::blas {
namespace {

constexpr int64_t task_queries = 64;

class Attention final : public Operation {
public:
  Attention(const AttentionCall &call, int64_t most_keys)
      : Operation({static_cast<int>(call.batch * call.heads * blocks(call.queries, task_queries))},
                  scratch_bytes(call, most_keys)),
        call_(call), most_keys_(most_keys) {}

  void run(int, int task, Worker &worker) override {
    const int64_t cuts = blocks(call_.queries, task_queries), size = call_.size;
    const int64_t head = task / cuts % call_.heads, b = task / cuts / call_.heads;
    const Range queries = piece(call_.queries, task % cuts, cuts);
    auto *k = reinterpret_cast<float *>(worker.scratch);
    float *v = k + most_keys_ * size, *q = v + most_keys_ * size;
    float *y = q + queries.size() * size, *scores = y + queries.size() * size;
    const int64_t keys = gather_keys(b, head, k, v);
    for (int64_t i = 0; i < queries.size(); ++i) copy(at(call_.q, b, queries.first + i, head), q + i * size);
    multiply(queries.size(), keys, size, {q, size}, {k, size}, true, scores, keys);
    for (int64_t i = 0; i < queries.size(); ++i) {
      softmax(scores + i * keys, keys, call_.bias_row(head, queries.first + i));
    }
    multiply(queries.size(), size, keys, {scores, keys}, {v, size}, false, y, size);
    for (int64_t i = 0; i < queries.size(); ++i) copy(y + i * size, at(call_.y, b, queries.first + i, head));
  }

private:
  static size_t scratch_bytes(const AttentionCall &call, int64_t keys) {
    const int64_t queries = std::min(call.queries, task_queries);
    return static_cast<size_t>(2 * keys * call.size + queries * (2 * call.size + keys)) * sizeof(float);
  }
  static float *at(const View &view, int64_t b, int64_t t, int64_t head) {
    return view.as<float>() + b * view.stride[0] + t * view.stride[1] + head * view.stride[2];
  }
  void copy(const float *from, float *to) const {
    std::memcpy(to, from, static_cast<size_t>(call_.size) * sizeof(float));
  }

  /// Own and cached ones; returns how many.
  int64_t gather_keys(int64_t b, int64_t head, float *k, float *v) const {
    for (int64_t j = 0; j < call_.keys; ++j) {
      copy(at(call_.k, b, j, head), k + j * call_.size);
      copy(at(call_.v, b, j, head), v + j * call_.size);
    }
    if (call_.cached.empty()) return call_.keys;
    const CachedKV &cached = call_.cached[static_cast<size_t>(b)];
    for (int64_t j = 0; j < cached.tokens; ++j) {
      const int64_t row = (call_.keys + j) * call_.size;
      copy(cached.k.as<float>() + j * cached.k.stride[0] + head * cached.k.stride[1], k + row);
      copy(cached.v.as<float>() + j * cached.v.stride[0] + head * cached.v.stride[1], v + row);
    }
    return call_.keys + cached.tokens;
  }

  void softmax(float *row, int64_t keys, const float *bias) const {
    float most = -INFINITY, total = 0;
    for (int64_t j = 0; j < keys; ++j) {
      row[j] = row[j] * call_.scale + (bias != nullptr && j < call_.keys ? bias[j] : 0.0f);
      most = row[j] > most ? row[j] : most;
    }
    for (int64_t j = 0; j < keys; ++j) total += row[j] = std::exp(row[j] - most);
    for (int64_t j = 0; j < keys; ++j) row[j] /= total;
  }

  const AttentionCall call_;
  const int64_t most_keys_;
};

} // namespace

OperationPointer plan_attention(const AttentionCall &call) {
  int64_t cached = 0;
  for (const CachedKV &kv : call.cached) cached = std::max(cached, kv.tokens);
  return std::make_unique<Attention>(call, call.keys + cached);
}

} // namespace posed::blas
