// Conversions of single stored elements, for loops that jump through memory.
#pragma once

#include <bit>
#include <cstdint>

namespace posed {

struct Float16 {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

inline float widen(float value) { return value; }
inline float widen(BFloat16 value) { return std::bit_cast<float>(uint32_t(value.bits) << 16); }
inline float widen(Float16 value) {
  uint32_t magnitude = uint32_t(value.bits & 0x7FFF) << 13;
  uint32_t bits = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f);
  if (magnitude >= 0x7C00u << 13) bits = magnitude | 0x7F800000u;
  return std::bit_cast<float>(bits | uint32_t(value.bits & 0x8000) << 16);
}

/// Round to nearest, ties to even; a NaN stays one.
inline void narrow(float value, float &to) { to = value; }
inline void narrow(float value, BFloat16 &to) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  bool nan = value != value;
  to.bits = uint16_t(nan ? (bits >> 16) | 0x40 : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}
inline void narrow(float value, Float16 &to) {
  uint32_t bits = std::bit_cast<uint32_t>(value), sign = (bits >> 16) & 0x8000;
  uint32_t magnitude = bits & 0x7FFFFFFF, result = 0x7C00;
  if (magnitude > 0x7F800000u) {
    result = 0x7E00 | ((magnitude >> 13) & 0x3FF);
  } else if (magnitude < 113u << 23) { // adding 0.5 aligns the last bit of a subnormal result
    result = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3F000000u;
  } else if (magnitude < 0x477FF000u) {
    result = (magnitude - (112u << 23) + 0xFFF + ((magnitude >> 13) & 1)) >> 13;
  }
  to.bits = static_cast<uint16_t>(sign | result);
}

} // namespace posed
