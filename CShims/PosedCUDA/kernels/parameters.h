// What kernels are launched with: one plain structure for each, by value. Read by the host's compiler and
// by NVRTC, so it includes nothing. Pointers are device addresses; strides count elements.
#pragma once

namespace posed::cuda {

typedef long long Index;

constexpr int most_dimensions = 6;
constexpr int most_terms = 12;

/// y = act(x), `count` dense elements.
struct ActivateParameters {
  const void *x;
  void *y;
  Index count;
  unsigned x_type, y_type, activation;
  unsigned vectors; // 1: both addresses allow four elements at once
};

/// y = bias + Σ coefficient[i] * x[i], `count` dense elements.
struct CombineParameters {
  void *y;
  Index count;
  const void *x[most_terms];
  float coefficient[most_terms];
  unsigned x_type[most_terms];
  unsigned y_type, terms, vectors;
  float bias;
};

/// y = act(a) * b with [a | b] the halves of a row of x.
struct GluParameters {
  const void *x;
  void *y;
  Index rows, tokens, width; // rows = batch * tokens; width = D
  Index x_batch, x_token, y_batch, y_token;
  unsigned x_type, y_type, activation, vectors;
};

/// To 8 bits, `count` dense elements.
struct QuantizeParameters {
  const void *x;
  unsigned char *y;
  Index count;
  unsigned x_type, vectors;
};

/// A strided copy. Dimensions are simplified, the innermost last; unused leading ones are 1 long.
struct CopyParameters {
  const void *x;
  void *y;
  unsigned count; // elements, or groups of four of them along the innermost dimension
  unsigned extent[most_dimensions];
  Index x_stride[most_dimensions], y_stride[most_dimensions];
};

/// A layer norm of `rows` rows of `width`; multiply and add may be null.
struct LayerNormParameters {
  const void *x;
  void *y;
  const float *multiply, *add;
  Index rows, tokens, width;
  Index x_batch, x_token, y_batch, y_token;
  Index multiply_batch, add_batch; // 0: one vector for all
  float eps, plus;                 // plus: 1 where multiply is a scale, else 0
};

/// Both kernels of a group norm. partial: [N][blocks][groups] of (mean, sum of squared differences).
struct GroupNormParameters {
  const void *x;
  void *y;
  const float *gamma, *beta;
  float *partial;
  Index pixels; // H * W
  int channels, groups;
  int blocks, block_pixels; // pieces of an image
  unsigned activation;
  float eps;
};

/// What a product does with its sums: y = residual + gate * act(sum + bias), or, where
/// `residual_first`, y = act(sum + bias + residual).
struct EpilogueParameters {
  const float *bias; // [padded N] or null
  const float *gate; // [batch, N] or null
  const void *residual;
  void *y;
  Index gate_batch;
  Index residual_batch, residual_token, y_batch, y_token;
  unsigned y_type, residual_type, activation;
  unsigned vectors; // 1: y, residual and gate allow four elements at once
  unsigned residual_first;
};

/// y[B, T, N] of x[B, T, K] and a matrix packed as [padded N][padded K].
struct LinearParameters {
  const void *x;
  const void *weight;
  Index x_batch, x_token;
  int rows, tokens; // rows = B * T
  int in, out, steps;
  int column_tiles; // of y
  unsigned x_type;
  EpilogueParameters epilogue;
};

/// y[N, Ho, Wo, O] of x[N, H, W, C] and a filter packed as [phases][padded O][padded taps * padded C].
struct ConvParameters {
  const void *x;
  const void *weight;
  Index phase_weight; // elements from one phase's filter to the next
  int images, height, width, in, in_padded;
  int rows, out_height, out_width, out; // of one phase; rows = images * out_height * out_width
  int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
  int steps, column_tiles;
  unsigned x_type;
  int enlargement; // 1, or 2: output pixel (2i + a, 2j + b) belongs to phase 2a + b
  EpilogueParameters epilogue;
};

/// Keys and values of one row of the batch.
struct KeysAndValues {
  const void *k, *v;
  Index k_token, k_head, v_token, v_head;
  int tokens; // 0: none
};

constexpr int most_rows = 32;

/// Rows of a batch that share a launch: at most `most_rows` where there are cached keys.
struct AttentionParameters {
  const void *q, *k, *v;
  void *y;
  Index q_batch, q_token, q_head, k_batch, k_token, k_head, v_batch, v_token, v_head;
  Index y_batch, y_token, y_head;
  int queries, keys, heads, size, query_tiles;
  unsigned vectors; // 1: rows of q, k and v, cached ones too, are 16-byte aligned
  unsigned has_cache;
  float scale;       // times log2(e)
  const float *bias; // of own keys, or null
  Index bias_head, bias_query;
  KeysAndValues cached[most_rows];
};

} // namespace posed::cuda
