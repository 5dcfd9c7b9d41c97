// attention: see kernels/attention.cu, attention_wide.cu and attention_f32.cu. Rows of the batch share a
// launch, as many as fit its parameters where there are cached keys.
#include "Plans.h"

namespace posed::cuda {
namespace {

constexpr float log2_e = 1.4426950408889634f;
constexpr int64_t most_rows_without_cache = 65535; // of a grid's third dimension

struct Choice {
  Kernel kernel;
  int queries; // of a block
};

std::string define(const char *name, int64_t value) {
  return std::string(name) + "=" + std::to_string(value);
}

Choice narrow(posed_device &device, uint32_t dtype, int64_t size) {
  const int64_t head = (size + 15) / 16 * 16, pitch = 2 * head + 16;
  constexpr int64_t queries = 64, keys = 64;
  const auto bytes = static_cast<unsigned>((queries + 4 * keys) * pitch);
  const ModuleKey module = {"attention.cu",
                            {std::string("POSED_TYPE=") + type_name(dtype), define("POSED_HEAD", head)}};
  return {device.kernels.get(module, "attention", 128, bytes), queries};
}

int64_t attention_wide_bytes(int64_t head, int64_t queries, int64_t keys) {
  const int64_t pitch = 2 * head + 16;
  return (queries + 2 * keys) * pitch + queries * (keys + 4) * 4 + queries * (2 * keys + 16) + queries * 8;
}

Choice wide(posed_device &device, uint32_t dtype, int64_t size) {
  const int64_t head = size <= 256 ? 256 : 512;
  int64_t queries = 64, keys = 32;
  if (attention_wide_bytes(head, queries, keys) > device.shared_bytes) {
    queries = 32;
    keys = 16;
  }
  const ModuleKey module = {"attention_wide.cu",
                            {std::string("POSED_TYPE=") + type_name(dtype), define("POSED_HEAD", head),
                             define("POSED_QUERIES", queries), define("POSED_KEYS", keys)}};
  const auto bytes = static_cast<unsigned>(attention_wide_bytes(head, queries, keys));
  return {device.kernels.get(module, "attention_wide", 256, bytes), static_cast<int>(queries)};
}

Choice floats(posed_device &device, int64_t size) {
  const int64_t head = size <= 128 ? (size + 31) / 32 * 32 : size <= 256 ? 256 : 512;
  const int64_t rows = head <= 128 ? 8 : 4, queries = 4 * rows, keys = 32;
  const auto bytes = static_cast<unsigned>((queries * head + keys * (head + 4)) * 4);
  const ModuleKey module = {"attention_f32.cu", {define("POSED_HEAD", head), define("POSED_ROWS", rows)}};
  return {device.kernels.get(module, "attention_f32", 128, bytes), static_cast<int>(queries)};
}

/// Whether each row of a view of 16-bit elements begins at a multiple of 16 bytes.
bool rows_aligned(const View &view) {
  bool whole = reinterpret_cast<Address>(view.data) % 16 == 0;
  for (int i = 0; i + 1 < view.rank; ++i) whole = whole && (view.shape[i] == 1 || view.stride[i] % 8 == 0);
  return whole;
}

bool all_aligned(const AttentionCall &call) {
  bool aligned = call.size % 8 == 0 && rows_aligned(call.q) && rows_aligned(call.k) && rows_aligned(call.v) &&
                 rows_aligned(call.y);
  for (const CachedKV &kv : call.cached) {
    if (kv.tokens > 0) aligned = aligned && rows_aligned(kv.k) && rows_aligned(kv.v);
  }
  return aligned;
}

AttentionParameters parameters_of(const AttentionCall &call, int queries_of_block) {
  AttentionParameters p = {};
  p.q_batch = call.q.stride[0];
  p.q_token = call.q.stride[1];
  p.q_head = call.q.stride[2];
  p.k_batch = call.k.stride[0];
  p.k_token = call.k.stride[1];
  p.k_head = call.k.stride[2];
  p.v_batch = call.v.stride[0];
  p.v_token = call.v.stride[1];
  p.v_head = call.v.stride[2];
  p.y_batch = call.y.stride[0];
  p.y_token = call.y.stride[1];
  p.y_head = call.y.stride[2];
  p.queries = narrow_count(call.queries, "attention");
  p.keys = narrow_count(call.keys, "attention");
  p.heads = narrow_count(call.heads, "attention");
  p.size = static_cast<int>(call.size);
  p.query_tiles = (p.queries + queries_of_block - 1) / queries_of_block;
  p.vectors = all_aligned(call);
  p.scale = call.scale * log2_e;
  p.bias = call.bias ? call.bias.as<float>() : nullptr;
  p.bias_head = call.bias.stride[0];
  p.bias_query = call.bias.stride[1];
  return p;
}

/// The cached keys of rows `first` … `first + count − 1`.
void attach_cache(AttentionParameters &p, const AttentionCall &call, int64_t first, int64_t count) {
  p.has_cache = 0;
  for (int64_t i = 0; i < count; ++i) {
    const CachedKV &kv = call.cached[static_cast<size_t>(first + i)];
    p.cached[i] = {};
    if (kv.tokens == 0) continue;
    p.has_cache = 1;
    p.cached[i] = {.k = kv.k.data,
                   .v = kv.v.data,
                   .k_token = kv.k.stride[0],
                   .k_head = kv.k.stride[1],
                   .v_token = kv.v.stride[0],
                   .v_head = kv.v.stride[1],
                   .tokens = narrow_count(kv.tokens, "attention")};
  }
}

} // namespace

void submit(posed_stream &stream, const AttentionCall &call) {
  if (call.size > most_attention_head || call.heads > 65535) {
    fail(POSED_UNSUPPORTED,
         "attention: %lld heads of %lld elements; the cuda backend has heads of up to %lld.",
         static_cast<long long>(call.heads), static_cast<long long>(call.size),
         static_cast<long long>(most_attention_head));
  }
  posed_device &device = *stream.device;
  const uint32_t dtype = call.q.dtype;
  const Choice choice = dtype == POSED_F32 ? floats(device, call.size)
                        : call.size <= 128 ? narrow(device, dtype, call.size)
                                           : wide(device, dtype, call.size);
  AttentionParameters p = parameters_of(call, choice.queries);
  const int64_t step = call.cached.empty() ? most_rows_without_cache : most_rows;
  for (int64_t row = 0; row < call.batch; row += step) {
    const int64_t rows = std::min(step, call.batch - row);
    p.q = call.q.at(row);
    p.k = call.k.at(row);
    p.v = call.v.at(row);
    p.y = call.y.at(row);
    if (!call.cached.empty()) attach_cache(p, call, row, rows);
    const Grid grid = {static_cast<unsigned>(p.query_tiles), static_cast<unsigned>(p.heads),
                       static_cast<unsigned>(rows)};
    stream.launch(choice.kernel, grid, p);
  }
}

} // namespace posed::cuda
