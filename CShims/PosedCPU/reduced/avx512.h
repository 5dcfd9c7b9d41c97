// The hand-written kernels for AVX-512, alone, with BF16 and with VNNI: one function at a time.
//
// The plugin is compiled for the plainest x86-64 and must load on any; only the functions between
// POSED_…_BEGIN and POSED_AVX512_END may use the wide registers, and only the table of engines.cpp decides
// whether they are called. Everything in such a region has internal linkage or is a kernel's entry point, so
// that no inline function compiled for the wide registers can stand in for a plain one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <immintrin.h>

// clang-format off
#define POSED_AVX512_BEGIN \
  _Pragma("clang attribute push(__attribute__((target(\"avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c\"))), apply_to = function)")
#define POSED_AVX512_BF16_BEGIN \
  _Pragma("clang attribute push(__attribute__((target(\"avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c\"))), apply_to = function)")
#define POSED_AVX512_VNNI_BEGIN \
  _Pragma("clang attribute push(__attribute__((target(\"avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c\"))), apply_to = function)")
// clang-format on
#define POSED_AVX512_END _Pragma("clang attribute pop")

namespace posed::reduced {

/// The 16 bits of a bfloat16.
using bf16 = uint16_t;

inline float to_float(bf16 value) {
  uint32_t bits = uint32_t(value) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

/// Rounds to nearest, ties to even; keeps a NaN a NaN.
inline bf16 to_bf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return bf16((bits >> 16) | 0x40u);
  return bf16((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/// The four bytes there: a pair of bfloat16, or a quad of bytes.
inline int32_t unit_at(const bf16 *from) {
  int32_t unit;
  std::memcpy(&unit, from, sizeof unit);
  return unit;
}

inline int64_t round_up(int64_t value, int64_t to) { return (value + to - 1) / to * to; }
inline int64_t ceil_div(int64_t value, int64_t by) { return (value + by - 1) / by; }

} // namespace posed::reduced
