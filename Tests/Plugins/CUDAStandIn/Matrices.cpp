// cuBLASLt: products of matrices by columns, with the epilogues that the plugin asks for. Attributes must
// have the library's numbers and sizes.
#include <cmath>
#include <cstring>
#include <memory>

#include "StandIn.h"

using namespace standin;

namespace {

using Status = int;
enum : Status {
  fine = 0,
  not_initialized = 1,
  allocation_failed = 3,
  invalid = 7,
  not_supported = 15,
  failed = 13
};
enum : uint32_t { with_relu = 2, with_bias = 4, with_gelu = 32 };
constexpr size_t workspace = 64 << 10; // that every algorithm asks for, and fills

struct Layout {
  int type = 0;
  uint64_t rows = 0, columns = 0;
  int64_t stride = 0, batch_stride = 0;
  int32_t batch = 1;
};

struct Description {
  int compute = 0, scale = 0;
  int32_t transposed = 0, bias_type = -1;
  uint32_t epilogue = 1;
  const void *bias = nullptr;
};

struct Preference {
  uint64_t workspace = 0;
  uint32_t reductions = 7, alignment[4] = {256, 256, 256, 256};
};

struct Algorithm {
  uint64_t magic, rest[7];
};
struct Choice {
  Algorithm algorithm;
  size_t workspace;
  Status state;
  float waves;
  int reserved[4];
};

float read(const void *data, int type, int64_t i) {
  if (type == 0) return static_cast<const float *>(data)[i];
  uint16_t bits = static_cast<const uint16_t *>(data)[i];
  if (type == 2) return float(__builtin_bit_cast(_Float16, bits));
  return __builtin_bit_cast(float, uint32_t(bits) << 16);
}

void write(void *data, int type, int64_t i, float value) {
  if (type == 0) {
    static_cast<float *>(data)[i] = value;
  } else if (type == 2) {
    static_cast<_Float16 *>(data)[i] = static_cast<_Float16>(value);
  } else {
    uint32_t bits = __builtin_bit_cast(uint32_t, value);
    uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    static_cast<uint16_t *>(data)[i] = value != value ? 0x7fff : uint16_t(rounded);
  }
}

template <class T> bool take(T &to, const void *value, size_t bytes) {
  if (bytes != sizeof to) return false;
  std::memcpy(&to, value, bytes);
  return true;
}

struct Product {
  Description description;
  Layout a, b, c, d;
  const char *a_data, *b_data, *c_data;
  char *d_data;
  float alpha, beta;
};

float finished(float value, uint32_t epilogue) {
  if (epilogue & with_relu) return value < 0 ? 0 : value;
  if (epilogue & with_gelu) {
    return 0.5f * value * (1 + std::tanh(0.7978845608f * (value + 0.044715f * value * value * value)));
  }
  return value;
}

void multiply(const Product &p) {
  const int64_t depth = int64_t(p.a.rows);
  std::vector<float> a(size_t(depth) * p.a.columns), b(size_t(depth) * p.b.columns);
  for (int32_t batch = 0; batch < p.d.batch; ++batch) {
    for (uint64_t i = 0; i < p.a.columns; ++i) {
      for (int64_t k = 0; k < depth; ++k) {
        a[i * size_t(depth) + size_t(k)] =
            read(p.a_data, p.a.type, batch * p.a.batch_stride + int64_t(i) * p.a.stride + k);
      }
    }
    for (uint64_t j = 0; j < p.b.columns; ++j) {
      for (int64_t k = 0; k < depth; ++k) {
        b[j * size_t(depth) + size_t(k)] =
            read(p.b_data, p.b.type, batch * p.b.batch_stride + int64_t(j) * p.b.stride + k);
      }
    }
    for (uint64_t j = 0; j < p.d.columns; ++j) {
      for (uint64_t i = 0; i < p.d.rows; ++i) {
        float sum = 0;
        for (int64_t k = 0; k < depth; ++k)
          sum += a[i * size_t(depth) + size_t(k)] * b[j * size_t(depth) + size_t(k)];
        sum *= p.alpha;
        if (p.beta != 0) {
          sum += p.beta *
                 read(p.c_data, p.c.type, batch * p.c.batch_stride + int64_t(j) * p.c.stride + int64_t(i));
        }
        const Description &d = p.description;
        if (d.epilogue & with_bias) sum += read(d.bias, d.bias_type, int64_t(i));
        write(p.d_data, p.d.type, batch * p.d.batch_stride + int64_t(j) * p.d.stride + int64_t(i),
              finished(sum, d.epilogue));
      }
    }
  }
}

bool consistent(const Description &p, const Layout &a, const Layout &b, const Layout &c, const Layout &d) {
  bool types = p.compute == 68 && p.scale == 0 && a.type == b.type && c.type == d.type &&
               (d.type == 0 || d.type == a.type);
  bool bias = !(p.epilogue & with_bias) || (p.bias != nullptr && p.bias_type == d.type);
  bool shapes = p.transposed == 1 && a.rows == b.rows && a.columns == d.rows && b.columns == d.columns &&
                c.rows == d.rows && c.columns == d.columns;
  bool strides = a.stride >= int64_t(a.rows) && b.stride >= int64_t(b.rows) && d.stride >= int64_t(d.rows) &&
                 c.stride >= int64_t(c.rows);
  return types && bias && shapes && strides && a.batch == d.batch && b.batch == d.batch && c.batch == d.batch;
}

} // namespace

STANDIN_EXPORT size_t cublasLtGetVersion() {
  return number_setting("POSED_STANDIN_VERSION", 13) * 10000 + 100;
}

STANDIN_EXPORT Status cublasLtCreate(void **handle) {
  std::lock_guard lock(world().mutex);
  if (enter("cublasLtCreate") != success) return not_initialized;
  *handle = new int;
  return fine;
}
STANDIN_EXPORT Status cublasLtDestroy(void *handle) {
  delete static_cast<int *>(handle);
  return fine;
}

STANDIN_EXPORT Status cublasLtMatmulDescCreate(Description **description, int compute, int scale) {
  *description = new Description{.compute = compute, .scale = scale};
  return fine;
}
STANDIN_EXPORT Status cublasLtMatmulDescDestroy(Description *description) {
  delete description;
  return fine;
}
STANDIN_EXPORT Status cublasLtMatmulDescSetAttribute(Description *d, int attribute, const void *value,
                                                     size_t bytes) {
  switch (attribute) {
  case 3:
    return take(d->transposed, value, bytes) ? fine : invalid;
  case 7:
    return take(d->epilogue, value, bytes) ? fine : invalid;
  case 8:
    return take(d->bias, value, bytes) ? fine : invalid;
  case 26:
    return take(d->bias_type, value, bytes) ? fine : invalid;
  default:
    return invalid;
  }
}

STANDIN_EXPORT Status cublasLtMatrixLayoutCreate(Layout **layout, int type, uint64_t rows, uint64_t columns,
                                                 int64_t stride) {
  if (type != 0 && type != 2 && type != 14) return invalid;
  *layout = new Layout{.type = type, .rows = rows, .columns = columns, .stride = stride};
  return fine;
}
STANDIN_EXPORT Status cublasLtMatrixLayoutDestroy(Layout *layout) {
  delete layout;
  return fine;
}
STANDIN_EXPORT Status cublasLtMatrixLayoutSetAttribute(Layout *l, int attribute, const void *value,
                                                       size_t bytes) {
  if (attribute == 5) return take(l->batch, value, bytes) ? fine : invalid;
  if (attribute == 6) return take(l->batch_stride, value, bytes) ? fine : invalid;
  return invalid;
}

STANDIN_EXPORT Status cublasLtMatmulPreferenceCreate(Preference **preference) {
  *preference = new Preference;
  return fine;
}
STANDIN_EXPORT Status cublasLtMatmulPreferenceDestroy(Preference *preference) {
  delete preference;
  return fine;
}
STANDIN_EXPORT Status cublasLtMatmulPreferenceSetAttribute(Preference *p, int attribute, const void *value,
                                                           size_t bytes) {
  if (attribute == 1) return take(p->workspace, value, bytes) ? fine : invalid;
  if (attribute == 3) return take(p->reductions, value, bytes) ? fine : invalid;
  if (attribute >= 5 && attribute <= 8)
    return take(p->alignment[attribute - 5], value, bytes) ? fine : invalid;
  return invalid;
}

STANDIN_EXPORT Status cublasLtMatmulAlgoGetHeuristic(void *, Description *p, Layout *a, Layout *b, Layout *c,
                                                     Layout *d, Preference *preference, int wanted,
                                                     Choice *choices, int *found) {
  std::lock_guard lock(world().mutex);
  *found = 0;
  if (enter("cublasLtMatmulAlgoGetHeuristic") != success) return failed;
  if (!consistent(*p, *a, *b, *c, *d)) return invalid;
  if (wanted < 1 || preference->workspace < workspace || (preference->reductions & 1) != 0)
    return not_supported;
  // There are always forms that it has nothing for.
  if ((p->epilogue & with_gelu) != 0 && d->type == 0) return not_supported;
  *choices = {.algorithm = {.magic = 0xa190, .rest = {}},
              .workspace = workspace,
              .state = fine,
              .waves = 1,
              .reserved = {}};
  *found = 1;
  return fine;
}

STANDIN_EXPORT Status cublasLtMatmul(void *, Description *p, const float *alpha, const void *a,
                                     Layout *a_layout, const void *b, Layout *b_layout, const float *beta,
                                     const void *c, Layout *c_layout, void *d, Layout *d_layout,
                                     const Algorithm *algorithm, void *space, size_t bytes, Stream *stream) {
  std::lock_guard lock(world().mutex);
  if (enter("cublasLtMatmul") != success) return failed;
  if (!consistent(*p, *a_layout, *b_layout, *c_layout, *d_layout) || algorithm->magic != 0xa190)
    return invalid;
  if (space == nullptr || bytes < workspace || reinterpret_cast<uintptr_t>(space) % 16 != 0) return invalid;
  Product product = {.description = *p,
                     .a = *a_layout,
                     .b = *b_layout,
                     .c = *c_layout,
                     .d = *d_layout,
                     .a_data = static_cast<const char *>(a),
                     .b_data = static_cast<const char *>(b),
                     .c_data = static_cast<const char *>(c),
                     .d_data = static_cast<char *>(d),
                     .alpha = *alpha,
                     .beta = *beta};
  submit(stream, [product, space]() -> Result {
    if (Result planned = enter("product"); planned != success) return planned;
    std::memset(space, 0xff, workspace);
    multiply(product);
    return success;
  });
  return fine;
}
