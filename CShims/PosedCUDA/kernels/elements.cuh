// Elements of a type that is known at run time, and activations. Types are numbers of posed_dtype; the
// branches on them are the same for all threads of a launch.
#pragma once

#include "device.cuh"

namespace posed::cuda {

enum : unsigned { type_f32 = 1, type_f16 = 2, type_bf16 = 3, type_u8 = 4 };
enum : unsigned { act_none = 0, act_relu, act_silu, act_gelu_tanh, act_gelu_erf, act_tanh };

struct alignas(16) Four {
  float at[4];
};
struct alignas(8) Two {
  float at[2];
};
struct alignas(16) Words4 {
  unsigned at[4];
};
struct alignas(8) Words2 {
  unsigned at[2];
};

// ---- of a known type ----

template <class T> __device__ inline float load(const void *from, Index i) {
  return widen(static_cast<const T *>(from)[i]);
}
/// Elements 4i … 4i + 3 from an address that allows it.
template <class T> __device__ inline Four load_four(const void *from, Index i);
template <> __device__ inline Four load_four<float>(const void *from, Index i) {
  return static_cast<const Four *>(from)[i];
}
template <class T> __device__ inline Four widen_four(Words2 words) {
  Four result;
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    T value;
    value.bits = static_cast<unsigned short>(words.at[k / 2] >> (16 * (k % 2)));
    result.at[k] = widen(value);
  }
  return result;
}
template <> __device__ inline Four load_four<f16>(const void *from, Index i) {
  return widen_four<f16>(static_cast<const Words2 *>(from)[i]);
}
template <> __device__ inline Four load_four<bf16>(const void *from, Index i) {
  return widen_four<bf16>(static_cast<const Words2 *>(from)[i]);
}

template <class T> __device__ inline void store(void *to, Index i, float value) {
  static_cast<T *>(to)[i] = narrow<T>(value);
}
template <class T> __device__ inline void store_four(void *to, Index i, const Four &values) {
  static_cast<Words2 *>(to)[i] = {{pack<T>(values.at[0], values.at[1]), pack<T>(values.at[2], values.at[3])}};
}
template <> __device__ inline void store_four<float>(void *to, Index i, const Four &values) {
  static_cast<Four *>(to)[i] = values;
}

// ---- of a type known at run time ----

__device__ inline float load(const void *from, unsigned type, Index i) {
  if (type == type_f32) return load<float>(from, i);
  return type == type_f16 ? load<f16>(from, i) : load<bf16>(from, i);
}
__device__ inline Four load_four(const void *from, unsigned type, Index i) {
  if (type == type_f32) return load_four<float>(from, i);
  return type == type_f16 ? load_four<f16>(from, i) : load_four<bf16>(from, i);
}
__device__ inline void store(void *to, unsigned type, Index i, float value) {
  if (type == type_f32) return store<float>(to, i, value);
  if (type == type_f16) return store<f16>(to, i, value);
  store<bf16>(to, i, value);
}
__device__ inline void store_four(void *to, unsigned type, Index i, const Four &values) {
  if (type == type_f32) return store_four<float>(to, i, values);
  if (type == type_f16) return store_four<f16>(to, i, values);
  store_four<bf16>(to, i, values);
}

/// `count` elements dealt out to all threads of a one-dimensional grid: `four(i)` for elements 4i … 4i + 3
/// where `vectors` allows it, `one(i)` for the rest.
template <class OfFour, class OfOne>
__device__ inline void for_elements(Index count, bool vectors, OfFour &&four, OfOne &&one) {
  Index thread = Index(blockIdx.x) * blockDim.x + threadIdx.x, step = Index(gridDim.x) * blockDim.x;
  Index fours = vectors ? count / 4 : 0;
  for (Index i = thread; i < fours; i += step) four(i);
  for (Index i = 4 * fours + thread; i < count; i += step) one(i);
}

// ---- activations ----

/// x · sigmoid(2u), whose steps are exact at both ends: exp(−2u) is 0 or ∞ there.
__device__ inline float times_sigmoid(float x, float twice) {
  constexpr float log2_e = 1.4426950408889634f;
  return divide_fast(x, 1.0f + exp2_fast(-twice * log2_e));
}

__device__ inline float activate(float x, unsigned activation) {
  switch (activation) {
  case act_relu:
    return x < 0.0f ? 0.0f : x;
  case act_silu:
    return times_sigmoid(x, x);
  case act_gelu_tanh: // 0.5 (1 + tanh u) = sigmoid(2u), u = √(2/π) (x + 0.044715 x³)
    return times_sigmoid(x, 1.5957691216057308f * (x + 0.044715f * x * x * x));
  case act_gelu_erf:
    return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
  case act_tanh:
    return tanhf(x);
  default:
    return x;
  }
}

} // namespace posed::cuda
