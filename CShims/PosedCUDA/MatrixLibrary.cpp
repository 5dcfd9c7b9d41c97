// cuBLASLt counts matrices by columns. y = x · Wᵀ by rows is yᵀ = W · xᵀ by columns: its A is our weight,
// read transposed, its B our x, its D our y, and a vector along the rows of D is one along our features.
#include "MatrixLibrary.h"

#include "Library.h"
#include "posed_backend.h"
#include "posed_plugin/status.h"

namespace posed::cuda {
namespace {

// The library's numbers.
enum : int { type_float = 0, type_half = 2, type_bfloat = 14, compute_float = 68 };
enum : int { order_batches = 5, order_batch_stride = 6 };                       // attributes of a layout
enum : int { transpose_a = 3, epilogue = 7, bias_pointer = 8, bias_type = 26 }; // of a product
enum : int { workspace_bytes = 1, reductions = 3, alignment_a = 5 }; // of a preference; b, c, d follow a
enum : uint32_t { plain = 1, with_relu = 2, with_bias = 4, with_gelu = 32 };
constexpr uint32_t reductions_in_float = 2; // neither in place nor in the result's type: equal bits each time

/// What the library writes about an algorithm.
struct Choice {
  uint64_t algorithm[8];
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};

int type_of(uint32_t dtype) {
  return dtype == POSED_F32 ? type_float : dtype == POSED_F16 ? type_half : type_bfloat;
}

/// The greatest power of two up to 256 that divides an address and all strides of its matrix, in bytes.
uint32_t alignment(Address address, int64_t row, int64_t batch, uint32_t dtype) {
  uint64_t size = dtype == POSED_F32 ? 4 : 2;
  uint64_t bits = address | static_cast<uint64_t>(row) * size | static_cast<uint64_t>(batch) * size | 256;
  return static_cast<uint32_t>(bits & (~bits + 1));
}

uint32_t epilogue_of(const MatrixProduct &product) {
  uint32_t result = product.bias == 0 ? 0 : with_bias;
  if (product.activation == POSED_ACT_RELU) result |= with_relu;
  if (product.activation == POSED_ACT_GELU_TANH) result |= with_gelu;
  return result == 0 ? plain : result;
}

struct Alignments {
  uint32_t a, b, c, d;
};

Alignments alignments_of(const MatrixProduct &p) {
  Alignments result;
  result.a = alignment(p.weight, p.weight_row, 0, p.compute);
  result.b = alignment(p.x, p.x_row, p.batch > 1 ? p.x_batch : 0, p.compute);
  result.d = alignment(p.y, p.y_row, p.batch > 1 ? p.y_batch : 0, p.y_type);
  result.c = p.residual == 0
                 ? result.d
                 : alignment(p.residual, p.residual_row, p.batch > 1 ? p.residual_batch : 0, p.y_type);
  return result;
}

template <class T> void *host(T address) { return reinterpret_cast<void *>(address); }

} // namespace

/// A product's descriptions in the library's terms.
struct MatrixLibrary::Problem {
  Problem(const MatrixLibrary &library, const MatrixProduct &product) : library(library) {
    const MatrixProduct &p = product;
    const int32_t transposed = 1;
    const uint32_t finish = epilogue_of(p);
    const int32_t y_type = type_of(p.y_type);
    library.require(library.product_create_(&description, compute_float, type_float), "describing a product");
    set(transpose_a, transposed);
    set(epilogue, finish);
    if (p.bias != 0) {
      set(bias_pointer, host(p.bias));
      set(bias_type, y_type);
    }
    auto unsigned_of = [](int64_t value) { return static_cast<uint64_t>(value); };
    layout(a, type_of(p.compute), unsigned_of(p.depth), unsigned_of(p.columns), p.weight_row, 0, p.batch);
    layout(b, type_of(p.compute), unsigned_of(p.depth), unsigned_of(p.rows), p.x_row, p.x_batch, p.batch);
    layout(d, y_type, unsigned_of(p.columns), unsigned_of(p.rows), p.y_row, p.y_batch, p.batch);
    if (p.residual == 0) {
      layout(c, y_type, unsigned_of(p.columns), unsigned_of(p.rows), p.y_row, p.y_batch, p.batch);
    } else {
      layout(c, y_type, unsigned_of(p.columns), unsigned_of(p.rows), p.residual_row, p.residual_batch,
             p.batch);
    }
  }
  ~Problem() {
    if (description != nullptr) library.product_destroy_(description);
    for (void *layout : {a, b, c, d}) {
      if (layout != nullptr) library.layout_destroy_(layout);
    }
  }
  Problem(const Problem &) = delete;
  Problem &operator=(const Problem &) = delete;

  template <class T> void set(int attribute, const T &value) {
    library.require(library.product_set_(description, attribute, &value, sizeof value),
                    "describing a product");
  }

  void layout(void *&layout, int type, uint64_t rows, uint64_t columns, int64_t stride, int64_t batch_stride,
              int64_t batch) {
    library.require(library.layout_create_(&layout, type, rows, columns, stride), "describing a matrix");
    if (batch == 1) return;
    const auto count = static_cast<int32_t>(batch);
    library.require(library.layout_set_(layout, order_batches, &count, sizeof count), "describing a matrix");
    library.require(library.layout_set_(layout, order_batch_stride, &batch_stride, sizeof batch_stride),
                    "describing a matrix");
  }

  const MatrixLibrary &library;
  void *description = nullptr, *a = nullptr, *b = nullptr, *c = nullptr, *d = nullptr;
};

std::unique_ptr<MatrixLibrary> MatrixLibrary::open(const Driver &driver) {
  std::unique_ptr<MatrixLibrary> library(new MatrixLibrary(driver));
  if (!library->bind(false).empty()) return nullptr;
  if (library->create_(&library->handle_) != 0) {
    library->handle_ = nullptr;
    return nullptr;
  }
  return library;
}

std::string MatrixLibrary::missing(const Driver &driver) { return MatrixLibrary(driver).bind(true); }

/// Finds the functions; what is missing.
std::string MatrixLibrary::bind(bool lazily) {
  std::vector<std::string> names;
  if (driver_.version >= 13000) names.push_back("libcublasLt.so.13");
  names.push_back("libcublasLt.so.12");
  Library library = Library::find(names, lazily);
  if (!library) return "there is no cuBLASLt";
  const std::string file = library.name();
#define POSED_CUDA_ENTRY(name, symbol_name, type, arguments)                                                 \
  name = reinterpret_cast<type(*) arguments>(library.symbol(symbol_name));                                   \
  if (name == nullptr) return file + " has no " + symbol_name;
  POSED_CUDA_MATRICES(POSED_CUDA_ENTRY)
#undef POSED_CUDA_ENTRY
  return "";
}

MatrixLibrary::~MatrixLibrary() {
  if (handle_ != nullptr) destroy_(handle_);
}

std::string MatrixLibrary::version() const {
  const size_t number = version_(); // 130100, or 120803
  return std::to_string(number / 10000) + "." + std::to_string(number / 100 % 100) + "." +
         std::to_string(number % 100);
}

void MatrixLibrary::require(Status status, const char *what) const {
  if (status == 0) return;
  posed_status meaning = status == 3 ? POSED_OUT_OF_MEMORY : POSED_INTERNAL;
  EventHandle event = nullptr;
  const Result result = driver_.event_create(&event, event_without_timing); // a lost device fails every call
  if (result == success) driver_.event_destroy(event);
  if (result != success && Driver::status_of(result) == POSED_DEVICE_LOST) meaning = POSED_DEVICE_LOST;
  fail(meaning, "cuBLASLt: %s failed with status %d.", what, status);
}

MatrixAlgorithm MatrixLibrary::algorithm(const MatrixProduct &p) {
  const Alignments aligned = alignments_of(p);
  const std::array<int64_t, 20> key = {p.compute,
                                       p.y_type,
                                       p.rows,
                                       p.columns,
                                       p.depth,
                                       p.batch,
                                       p.x_row,
                                       p.batch > 1 ? p.x_batch : 0,
                                       p.weight_row,
                                       p.residual_row,
                                       p.batch > 1 ? p.residual_batch : 0,
                                       p.y_row,
                                       p.batch > 1 ? p.y_batch : 0,
                                       p.activation,
                                       p.bias != 0,
                                       p.residual != 0,
                                       aligned.a,
                                       aligned.b,
                                       aligned.c,
                                       aligned.d};
  std::lock_guard lock(mutex_);
  auto [found, is_new] = chosen_.try_emplace(key);
  if (is_new) {
    try {
      choose(p, found->second);
    } catch (...) {
      chosen_.erase(found);
      throw;
    }
  }
  return found->second;
}

void MatrixLibrary::choose(const MatrixProduct &product, MatrixAlgorithm &algorithm) const {
  Problem problem(*this, product);
  struct Owner {
    const MatrixLibrary &library;
    void *preference = nullptr;
    ~Owner() {
      if (preference != nullptr) library.preference_destroy_(preference);
    }
  } owner{*this};
  require(preference_create_(&owner.preference), "describing a preference");
  auto set = [&](int attribute, const auto &value) {
    require(preference_set_(owner.preference, attribute, &value, sizeof value), "describing a preference");
  };
  const Alignments aligned = alignments_of(product);
  set(workspace_bytes, uint64_t(most_workspace));
  set(reductions, reductions_in_float);
  set(alignment_a, aligned.a);
  set(alignment_a + 1, aligned.b);
  set(alignment_a + 2, aligned.c);
  set(alignment_a + 3, aligned.d);
  Choice choice = {};
  int found = 0;
  Status status = choose_(handle_, problem.description, problem.a, problem.b, problem.c, problem.d,
                          owner.preference, 1, &choice, &found);
  if (status != 0 || found < 1 || choice.state != 0) return; // it has nothing for this form
  std::copy(std::begin(choice.algorithm), std::end(choice.algorithm), algorithm.data.begin());
  algorithm.workspace = choice.workspace;
  algorithm.usable = true;
}

void MatrixLibrary::multiply(const MatrixProduct &product, const MatrixAlgorithm &algorithm,
                             Address workspace, StreamHandle stream) {
  Problem problem(*this, product);
  const float alpha = 1, beta = product.residual == 0 ? 0 : 1;
  Address c = product.residual == 0 ? product.y : product.residual;
  Status status = multiply_(handle_, problem.description, &alpha, host(product.weight), problem.a,
                            host(product.x), problem.b, &beta, host(c), problem.c, host(product.y), problem.d,
                            algorithm.data.data(), host(workspace), algorithm.workspace, stream);
  require(status, "a product");
}

} // namespace posed::cuda
