#include "posed_plugin/view.h"

#include "posed_plugin/objects.h"
#include "posed_plugin/status.h"

namespace posed {
namespace {

std::string text(const int64_t *shape, int rank) {
  std::string result = "[";
  for (int i = 0; i < rank; ++i) {
    if (i > 0) result += ", ";
    result += std::to_string(shape[i]);
  }
  return result + "]";
}

/// Last element's distance from the first, in elements; throws where it overflows.
int64_t reach(const View &view, const Expect &expect) {
  int64_t furthest = 0;
  for (int i = 0; i < view.rank; ++i) {
    int64_t step = 0;
    if (__builtin_mul_overflow(view.shape[i] - 1, view.stride[i], &step) ||
        __builtin_add_overflow(furthest, step, &furthest)) {
      fail(POSED_INVALID_ARGUMENT, "%s: the strides of %s overflow for shape %s.", expect.operation,
           expect.tensor, view.shape_text().c_str());
    }
  }
  return furthest;
}

void check_bounds(const View &view, const Expect &expect, const posed_tensor &tensor) {
  int64_t elements = reach(view, expect);
  uint64_t size = view.size(), have = tensor.buffer->bytes, last = 0;
  if (tensor.offset_bytes % size != 0) {
    fail(POSED_INVALID_ARGUMENT, "%s: the offset of %s is %llu bytes, not a multiple of %s's size.",
         expect.operation, expect.tensor, static_cast<unsigned long long>(tensor.offset_bytes),
         name_of(view.dtype).c_str());
  }
  if (__builtin_mul_overflow(uint64_t(elements) + 1, size, &last) ||
      __builtin_add_overflow(last, tensor.offset_bytes, &last) || last > have) {
    fail(POSED_INVALID_ARGUMENT,
         "%s: %s of shape %s at offset %llu reaches past the end of its buffer of %llu bytes.",
         expect.operation, expect.tensor, view.shape_text().c_str(),
         static_cast<unsigned long long>(tensor.offset_bytes), static_cast<unsigned long long>(have));
  }
}

void check_dimensions(const View &view, const Expect &expect) {
  for (int i = 0; i < view.rank; ++i) {
    if (view.shape[i] < 1) {
      fail(POSED_INVALID_ARGUMENT, "%s: %s has shape %s; every dimension must be positive.", expect.operation,
           expect.tensor, view.shape_text().c_str());
    }
    bool zero = view.stride[i] == 0 && view.shape[i] > 1;
    if (view.stride[i] < 0 || (zero && !expect.broadcast)) {
      fail(POSED_INVALID_ARGUMENT, "%s: %s has strides %s; they must be %s.", expect.operation, expect.tensor,
           text(view.stride, view.rank).c_str(), expect.broadcast ? "zero or positive" : "positive");
    }
  }
  int last = view.rank - 1;
  if (expect.unit_innermost && view.shape[last] > 1 && view.stride[last] != 1) {
    fail(POSED_INVALID_ARGUMENT, "%s: the innermost stride of %s is %lld; it must be 1.", expect.operation,
         expect.tensor, static_cast<long long>(view.stride[last]));
  }
}

} // namespace

size_t size_of(uint32_t dtype) {
  switch (dtype) {
  case POSED_F32:
    return 4;
  case POSED_F16:
  case POSED_BF16:
    return 2;
  case POSED_U8:
    return 1;
  default:
    return 0;
  }
}

std::string name_of(uint32_t dtype) {
  switch (dtype) {
  case POSED_F32:
    return "f32";
  case POSED_F16:
    return "f16";
  case POSED_BF16:
    return "bf16";
  case POSED_U8:
    return "u8";
  case POSED_I8:
    return "i8";
  default:
    return "dtype " + std::to_string(dtype);
  }
}

int64_t View::count() const {
  int64_t product = 1;
  for (int i = 0; i < rank; ++i) product *= shape[i];
  return product;
}

bool View::dense() const {
  int64_t expected = 1;
  for (int i = rank - 1; i >= 0; --i) {
    if (shape[i] > 1 && stride[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

bool View::same_shape(const View &other) const {
  if (rank != other.rank) return false;
  for (int i = 0; i < rank; ++i) {
    if (shape[i] != other.shape[i]) return false;
  }
  return true;
}

std::string View::shape_text() const { return text(shape, rank); }

View resolve(const posed_tensor &tensor, const Expect &expect) {
  View view;
  if (tensor.buffer == nullptr) {
    if (expect.optional) return view;
    fail(POSED_INVALID_ARGUMENT, "%s: %s has no buffer.", expect.operation, expect.tensor);
  }
  if (expect.device != nullptr && tensor.buffer->device != expect.device) {
    fail(POSED_INVALID_ARGUMENT, "%s: %s lies in a buffer of another device.", expect.operation,
         expect.tensor);
  }
  view.dtype = tensor.dtype;
  if (view.size() == 0 || (expect.floating && !is_float(tensor.dtype))) {
    fail(POSED_INVALID_ARGUMENT, "%s: %s is %s; expected %s.", expect.operation, expect.tensor,
         name_of(tensor.dtype).c_str(), expect.floating ? "f32, f16 or bf16" : "a posed_dtype");
  }
  if (tensor.rank < 1 || tensor.rank > POSED_MAX_RANK ||
      (expect.rank != 0 && tensor.rank != static_cast<uint32_t>(expect.rank))) {
    fail(POSED_INVALID_ARGUMENT, "%s: %s has rank %u; expected %s%d.", expect.operation, expect.tensor,
         tensor.rank, expect.rank == 0 ? "1 to " : "", expect.rank == 0 ? POSED_MAX_RANK : expect.rank);
  }
  view.rank = static_cast<int>(tensor.rank);
  for (int i = 0; i < view.rank; ++i) {
    view.shape[i] = tensor.shape[i];
    view.stride[i] = tensor.stride[i];
  }
  check_dimensions(view, expect);
  check_bounds(view, expect, tensor);
  view.data = tensor.buffer->data + tensor.offset_bytes;
  return view;
}

void require_shape(const View &view, const Expect &expect, std::initializer_list<int64_t> shape) {
  bool same = view.rank == static_cast<int>(shape.size());
  int i = 0;
  for (int64_t extent : shape) same = same && view.shape[i++] == extent;
  if (!same) {
    fail(POSED_INVALID_ARGUMENT, "%s: %s has shape %s; expected %s.", expect.operation, expect.tensor,
         view.shape_text().c_str(), text(shape.begin(), static_cast<int>(shape.size())).c_str());
  }
}

void require_dense(const View &view, const Expect &expect) {
  if (view.dense()) return;
  fail(POSED_INVALID_ARGUMENT, "%s: %s of shape %s has strides %s; it must be dense.", expect.operation,
       expect.tensor, view.shape_text().c_str(), text(view.stride, view.rank).c_str());
}

void require_activation(uint32_t activation, const char *operation) {
  if (activation <= POSED_ACT_TANH) return;
  fail(POSED_INVALID_ARGUMENT, "%s: activation %u is not one of 0 to %d.", operation, activation,
       POSED_ACT_TANH);
}

} // namespace posed
