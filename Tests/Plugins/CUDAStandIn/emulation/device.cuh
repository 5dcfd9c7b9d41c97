// Stands in for the device.cuh of the kernels, so that their text compiles for the host. Whatever lanes do
// together happens when the last of them arrives; asynchronous copies and products happen when they are
// waited for, not before, or where threads go backwards at once, so that whoever relies on either order errs
// in one of the two; shared memory begins as NaN; addresses must be aligned as the device wants them.
#pragma once

#include "lanes.h"
#include "parameters.h"

extern "C" float fmaf(float, float, float) noexcept;
extern "C" float fmaxf(float, float) noexcept;
extern "C" float rintf(float) noexcept;
extern "C" float sqrtf(float) noexcept;
extern "C" float exp2f(float) noexcept;
extern "C" float erff(float) noexcept;
extern "C" float tanhf(float) noexcept;

#define __device__
#define __global__

#define threadIdx (posed_emulation::self().thread)
#define blockIdx (posed_emulation::running->index)
#define blockDim (posed_emulation::running->block)
#define gridDim (posed_emulation::running->grid)

#define POSED_KERNEL(name, Parameters, threads, blocks)                                                      \
  static void name##_body(const posed::cuda::Parameters &p);                                                 \
  extern "C" __attribute__((visibility("default"))) const unsigned name##_bytes =                            \
      sizeof(posed::cuda::Parameters);                                                                       \
  extern "C" __attribute__((visibility("default"))) void name(const void *parameters) {                      \
    if (posed_emulation::running->lanes > (threads)) {                                                       \
      posed_emulation::fail(posed_emulation::launch_failed, "more threads than the kernel allows");          \
    }                                                                                                        \
    name##_body(*static_cast<const posed::cuda::Parameters *>(parameters));                                  \
  }                                                                                                          \
  static void name##_body(const posed::cuda::Parameters &p)

/// How the driver's stand-in runs a kernel of this library.
extern "C" __attribute__((visibility("default"))) inline int
posed_emulated_launch(void (*kernel)(const void *), const void *parameters, const unsigned *grid,
                      const unsigned *block, size_t shared_bytes, int backwards) {
  return posed_emulation::launch(kernel, parameters, {grid[0], grid[1], grid[2]},
                                 {block[0], block[1], block[2]}, shared_bytes, backwards != 0);
}
__attribute__((used)) static auto *const posed_emulated_launch_is_kept = &posed_emulated_launch;

/// Called by code that the compiler adds where an address might be misaligned.
extern "C" __attribute__((used)) inline void __ubsan_handle_type_mismatch_minimal() {
  posed_emulation::fail(posed_emulation::misaligned_address, "an address is misaligned");
}

inline float __uint_as_float(unsigned bits) { return __builtin_bit_cast(float, bits); }
inline unsigned __float_as_uint(float value) { return __builtin_bit_cast(unsigned, value); }

namespace posed::cuda {

struct f16 {
  unsigned short bits;
};
struct bf16 {
  unsigned short bits;
};

inline float widen(float value) { return value; }
inline float widen(bf16 value) { return __uint_as_float(unsigned(value.bits) << 16); }
inline float widen(f16 value) { return float(__builtin_bit_cast(_Float16, value.bits)); }

template <class T> inline T narrow(float value);
template <> inline float narrow<float>(float value) { return value; }
template <> inline f16 narrow<f16>(float value) {
  return {__builtin_bit_cast(unsigned short, static_cast<_Float16>(value))};
}
template <> inline bf16 narrow<bf16>(float value) {
  unsigned bits = __float_as_uint(value);
  if (value != value) return {0x7fff};
  return {static_cast<unsigned short>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}
template <class T> inline unsigned pack(float low, float high) {
  return unsigned(narrow<T>(low).bits) | unsigned(narrow<T>(high).bits) << 16;
}

inline void synchronize() { posed_emulation::barrier(); }
inline void synchronize_warp() {
  posed_emulation::meet([](auto &, unsigned) {}, [](auto &) {}, [](auto &, unsigned) {});
}
inline float broadcast_from(float value, unsigned source) {
  float result = 0;
  posed_emulation::meet([&](auto &slot, unsigned lane) { slot.in[lane][0] = __float_as_uint(value); },
                        [](auto &) {},
                        [&](auto &slot, unsigned) { result = __uint_as_float(slot.in[source][0]); });
  return result;
}
inline float exchange(float value, int mask) {
  return broadcast_from(value, (posed_emulation::running->current % 32) ^ unsigned(mask));
}
inline float broadcast(float value, int lane) { return broadcast_from(value, unsigned(lane)); }

inline unsigned char *shared_memory() { return posed_emulation::running->shared; }

inline float minus_infinity() { return __uint_as_float(0xff800000u); }
inline float exp2_fast(float x) {
  float result = exp2f(x);
  return __builtin_fabsf(result) < 0x1p-126f ? 0.0f : result;
}
inline float divide_fast(float x, float y) {
  if (__builtin_fabsf(y) > 0x1p126f && !__builtin_isinf(y)) return x * 0.0f;
  return x / y;
}

inline void copy_now(void *to, const void *from) {
  if (from == nullptr) {
    memset(to, 0, 16);
  } else {
    memcpy(to, from, 16);
  }
}

inline void copy_async(void *to, const void *from, bool valid) {
  posed_emulation::require_aligned(to, 16);
  posed_emulation::require_aligned(from, 16);
  if (posed_emulation::at_once()) return copy_now(to, valid ? from : nullptr);
  posed_emulation::Lane &lane = posed_emulation::self();
  if (lane.copy_count == posed_emulation::most_copies) {
    posed_emulation::fail(posed_emulation::launch_failed, "a thread has too many copies under way");
  }
  lane.copies[lane.copy_count++] = {to, valid ? from : nullptr, lane.groups};
}
inline void copy_async_commit() { ++posed_emulation::self().groups; }
template <int groups> inline void copy_async_wait() {
  posed_emulation::Lane &lane = posed_emulation::self();
  int kept = 0;
  for (int i = 0; i < lane.copy_count; ++i) {
    const posed_emulation::PendingCopy copy = lane.copies[i];
    if (copy.group >= lane.groups - groups) {
      lane.copies[kept++] = copy;
    } else {
      copy_now(copy.to, copy.from);
    }
  }
  lane.copy_count = kept;
}

template <bool transposed> inline void matrices(unsigned (&to)[4], const void *row) {
  posed_emulation::require_aligned(row, 16);
  posed_emulation::meet([&](auto &slot, unsigned lane) { slot.address[lane] = row; },
                        [](auto &slot) {
                          for (int lane = 0; lane < 32; ++lane) {
                            for (int matrix = 0; matrix < 4; ++matrix) {
                              unsigned short pair[2];
                              for (int i = 0; i < 2; ++i) {
                                int down = lane / 4, across = lane % 4 * 2 + i;
                                if (transposed) {
                                  int kept = down;
                                  down = across;
                                  across = kept;
                                }
                                auto *of_row =
                                    static_cast<const unsigned short *>(slot.address[matrix * 8 + down]);
                                pair[i] = of_row[across];
                              }
                              slot.out[lane][matrix] = unsigned(pair[0]) | unsigned(pair[1]) << 16;
                            }
                          }
                        },
                        [&](auto &slot, unsigned lane) { memcpy(to, slot.out[lane], sizeof to); });
}
inline void load_matrices(unsigned (&to)[4], const void *row) { matrices<false>(to, row); }
inline void load_matrices_transposed(unsigned (&to)[4], const void *row) { matrices<true>(to, row); }

template <class T> inline float half_of(unsigned pair, int i) {
  T value;
  value.bits = static_cast<unsigned short>(pair >> (16 * i));
  return widen(value);
}

/// All of a warp's product, from the registers of its lanes.
template <class T> void multiply_warp(posed_emulation::Exchange &slot) {
  float a[16][16], b[16][8], sum[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    const unsigned *in = slot.in[lane];
    const int g = lane / 4, t = lane % 4 * 2;
    for (int i = 0; i < 2; ++i) {
      for (int part = 0; part < 4; ++part) {
        a[g + part % 2 * 8][t + part / 2 * 8 + i] = half_of<T>(in[4 + part], i);
      }
      b[t + i][g] = half_of<T>(in[8], i);
      b[t + 8 + i][g] = half_of<T>(in[9], i);
      sum[g][t + i] = __uint_as_float(in[i]);
      sum[g + 8][t + i] = __uint_as_float(in[2 + i]);
    }
  }
  for (int i = 0; i < 16; ++i) {
    for (int k = 0; k < 16; ++k) {
      for (int j = 0; j < 8; ++j) sum[i][j] = __builtin_fmaf(a[i][k], b[k][j], sum[i][j]);
    }
  }
  for (int lane = 0; lane < 32; ++lane) {
    const int g = lane / 4, t = lane % 4 * 2;
    for (int i = 0; i < 2; ++i) {
      slot.out[lane][i] = __float_as_uint(sum[g][t + i]);
      slot.out[lane][2 + i] = __float_as_uint(sum[g + 8][t + i]);
    }
  }
}

template <class T>
inline void multiply_add(float (&sum)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
  posed_emulation::meet(
      [&](auto &slot, unsigned lane) {
        memcpy(slot.in[lane], sum, 16);
        memcpy(slot.in[lane] + 4, a, 16);
        slot.in[lane][8] = b0;
        slot.in[lane][9] = b1;
      },
      [](auto &slot) { multiply_warp<T>(slot); },
      [&](auto &slot, unsigned lane) { memcpy(sum, slot.out[lane], 16); });
}

#ifdef POSED_GROUPS

inline void publish_copies() {}

inline unsigned long long group_operand(const unsigned char *rows, int k) {
  posed_emulation::require_aligned(rows, 1024);
  return reinterpret_cast<unsigned long long>(rows) + unsigned(k) * 32;
}

/// A product that has been begun: a lane does its part of it when it waits for it.
struct PendingProduct {
  float (*sums)[4];
  unsigned long long a, b;
  int group;
};
constexpr int most_products = 16;
struct LaneProducts {
  PendingProduct pending[most_products];
  int count, groups;
};
inline LaneProducts &lane_products() {
  static thread_local LaneProducts of_lane[posed_emulation::most_lanes];
  static thread_local posed_emulation::Dim3 block[posed_emulation::most_lanes];
  const unsigned lane = posed_emulation::running->current;
  const posed_emulation::Dim3 &now = posed_emulation::running->index;
  if (now.x != block[lane].x || now.y != block[lane].y || now.z != block[lane].z) {
    of_lane[lane].count = of_lane[lane].groups = 0;
    block[lane] = now;
  }
  return of_lane[lane];
}

inline void hold_sums(float (&)[16][4]) {}
inline void begin_products() {}
inline void commit_products() { ++lane_products().groups; }

/// A pair of 16-bit elements of row `row` of an operand, where the hardware looks for it.
template <class T> inline float element_of(unsigned long long operand, int row, int k) {
  unsigned long long place = operand + unsigned(row / 8) * 1024 + unsigned(row % 8) * 128 + unsigned(k) * 2;
  place ^= ((place >> 7) & 7) << 4;
  return widen(*reinterpret_cast<const T *>(place));
}

template <class T> inline void multiply_part(const PendingProduct &p) {
  const unsigned lane = posed_emulation::running->current;
  const int row = int(lane % 128 / 32 * 16 + lane % 32 / 4), column = int(lane % 4 * 2);
  for (int k = 0; k < 16; ++k) {
    const float a[2] = {element_of<T>(p.a, row, k), element_of<T>(p.a, row + 8, k)};
    for (int n = 0; n < 16; ++n) {
      for (int i = 0; i < 4; ++i) {
        float b = element_of<T>(p.b, n * 8 + column + i % 2, k);
#ifdef POSED_WRONG_GROUPS
        if (n == 15 && k == 15) b += 1; // a device that does not do what its manual says
#endif
        p.sums[n][i] = fmaf(a[i / 2], b, p.sums[n][i]);
      }
    }
  }
}

inline void (*part_of_type)(const PendingProduct &) = nullptr;

template <int count> inline void wait_products() {
  LaneProducts &own = lane_products();
  int kept = 0;
  for (int i = 0; i < own.count; ++i) {
    if (own.pending[i].group >= own.groups - count) {
      own.pending[kept++] = own.pending[i];
    } else {
      part_of_type(own.pending[i]);
    }
  }
  own.count = kept;
}

template <class T>
inline void multiply_group(float (&sums)[16][4], unsigned long long a, unsigned long long b) {
  LaneProducts &own = lane_products();
  if (own.count == most_products) {
    posed_emulation::fail(posed_emulation::launch_failed, "a thread has too many products under way");
  }
  part_of_type = multiply_part<T>;
  const PendingProduct product = {sums, a, b, own.groups};
  if (posed_emulation::at_once()) return multiply_part<T>(product);
  own.pending[own.count++] = product;
}

#endif

} // namespace posed::cuda
