// A posed_tensor that has been checked and resolved to an address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "posed_backend.h"

namespace posed {

/// Bytes of one element; 0 for a number that is no posed_dtype.
size_t size_of(uint32_t dtype);
/// "f32", "f16", "bf16", "u8", "i8", or "dtype 9".
std::string name_of(uint32_t dtype);
inline bool is_float(uint32_t dtype) { return dtype >= POSED_F32 && dtype <= POSED_BF16; }

/// The type of tensors around a product that is computed in `compute`, beside float32.
inline uint32_t carrier_of(uint32_t compute) { return compute == POSED_I8 ? POSED_BF16 : compute; }

/// A strided view of device memory. Strides count elements. `data` is null for an absent tensor.
struct View {
  std::byte *data = nullptr;
  uint32_t dtype = 0;
  int rank = 0;
  int64_t shape[POSED_MAX_RANK] = {};
  int64_t stride[POSED_MAX_RANK] = {};

  explicit operator bool() const { return data != nullptr; }
  size_t size() const { return size_of(dtype); }
  int64_t count() const;
  /// Rows follow each other without gaps, the last dimension innermost.
  bool dense() const;
  bool same_shape(const View &other) const;
  /// Address of element (i, j, …) of the leading dimensions.
  std::byte *at(int64_t i) const { return data + i * stride[0] * int64_t(size()); }
  std::byte *at(int64_t i, int64_t j) const {
    return data + (i * stride[0] + j * stride[1]) * int64_t(size());
  }
  template <class T> T *as() const { return reinterpret_cast<T *>(data); }
  /// "[2, 256, 384]"
  std::string shape_text() const;
};

/// What an operation asks of one of its tensors. Names appear in the messages: "linear: x …".
struct Expect {
  const char *operation;
  const char *tensor;
  int rank = 0;               // 0: any
  bool floating = true;       // one of the three float types
  bool unit_innermost = true; // innermost stride is 1 (or the dimension is 1 long)
  bool optional = false;
  bool broadcast = false;               // a stride of 0 is allowed
  const posed_device *device = nullptr; // the one whose buffer it must be; null: any
};

/// Checks type, rank, shape, strides, alignment and bounds; throws a Failure with a precise sentence.
View resolve(const posed_tensor &tensor, const Expect &expect);

/// Throws unless `view` has exactly this shape.
void require_shape(const View &view, const Expect &expect, std::initializer_list<int64_t> shape);
/// Throws unless `view` is dense.
void require_dense(const View &view, const Expect &expect);
/// Throws unless `activation` is a posed_activation.
void require_activation(uint32_t activation, const char *operation);

} // namespace posed
