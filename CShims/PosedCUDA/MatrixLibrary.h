// cuBLASLt, where there is one, with declarations of our own. It multiplies what its epilogues can finish;
// the rest is for this plugin's own kernels.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "Driver.h"

namespace posed::cuda {

/// A product as cuBLASLt sees it: y[batch][rows, columns] = act(x[batch][rows, depth] · Wᵀ + bias +
/// residual).
struct MatrixProduct {
  Address x = 0, weight = 0, bias = 0, residual = 0, y = 0; // bias, residual: 0 for none
  uint32_t compute = 0, y_type = 0;                         // posed_dtype; the bias is of y's type
  int64_t rows = 0, columns = 0, depth = 0, batch = 1;
  int64_t x_row = 0, x_batch = 0, weight_row = 0;
  int64_t residual_row = 0, residual_batch = 0, y_row = 0, y_batch = 0;
  uint32_t activation = 0; // none, relu or gelu_tanh
};

/// What cuBLASLt has chosen for products of one form.
struct MatrixAlgorithm {
  std::array<uint64_t, 8> data = {};
  size_t workspace = 0;
  bool usable = false; // false: it has nothing for them
};

/// A device's handle. Safe from any thread, with the device's context current.
class MatrixLibrary {
public:
  /// Null where there is no library, or one that is incomplete or does not start.
  static std::unique_ptr<MatrixLibrary> open(const Driver &driver);
  /// What is missing, "there is no cuBLASLt", or empty where the library is complete; starts nothing.
  static std::string missing(const Driver &driver);
  ~MatrixLibrary();

  /// "13.1.0"
  std::string version() const;
  /// The algorithm for this form of product and alignment of its addresses, always the same one.
  MatrixAlgorithm algorithm(const MatrixProduct &product);
  /// Puts the product on a stream. `workspace`: as many bytes as the algorithm wants.
  void multiply(const MatrixProduct &product, const MatrixAlgorithm &algorithm, Address workspace,
                StreamHandle stream);

  static constexpr size_t most_workspace = 32u << 20;

private:
  using Status = int;
  struct Problem;

  explicit MatrixLibrary(const Driver &driver) : driver_(driver) {}
  std::string bind(bool lazily);
  void require(Status status, const char *what) const;
  void choose(const MatrixProduct &product, MatrixAlgorithm &algorithm) const;

  const Driver &driver_;
  void *handle_ = nullptr;
  std::mutex mutex_;
  std::map<std::array<int64_t, 20>, MatrixAlgorithm> chosen_;
// name, the library's name, type of the result, arguments
#define POSED_CUDA_MATRICES(entry)                                                                           \
  entry(version_, "cublasLtGetVersion", size_t, ()) entry(create_, "cublasLtCreate", Status,                 \
                                                          (void **handle))                                   \
      entry(destroy_, "cublasLtDestroy", Status, (void *handle)) entry(                                      \
          product_create_, "cublasLtMatmulDescCreate", Status, (void **description, int compute, int scale)) \
          entry(product_destroy_, "cublasLtMatmulDescDestroy", Status, (void *description))                  \
              entry(product_set_, "cublasLtMatmulDescSetAttribute", Status,                                  \
                    (void *description, int attribute, const void *value, size_t bytes))                     \
                  entry(layout_create_, "cublasLtMatrixLayoutCreate", Status,                                \
                        (void **layout, int type, uint64_t rows, uint64_t columns, int64_t stride))          \
                      entry(layout_destroy_, "cublasLtMatrixLayoutDestroy", Status, (void *layout)) entry(   \
                          layout_set_, "cublasLtMatrixLayoutSetAttribute", Status,                           \
                          (void *layout, int attribute, const void *value, size_t bytes))                    \
                          entry(preference_create_, "cublasLtMatmulPreferenceCreate", Status,                \
                                (void **preference)) entry(preference_destroy_,                              \
                                                           "cublasLtMatmulPreferenceDestroy", Status,        \
                                                           (void *preference))                               \
                              entry(preference_set_, "cublasLtMatmulPreferenceSetAttribute", Status,         \
                                    (void *preference, int attribute, const void *value, size_t bytes))      \
                                  entry(choose_, "cublasLtMatmulAlgoGetHeuristic", Status,                   \
                                        (void *handle, void *product, void *a, void *b, void *c, void *d,    \
                                         void *preference, int wanted, void *results, int *found))           \
                                      entry(multiply_, "cublasLtMatmul", Status,                             \
                                            (void *handle, void *product, const void *alpha, const void *a,  \
                                             void *a_layout, const void *b, void *b_layout,                  \
                                             const void *beta, const void *c, void *c_layout, void *d,       \
                                             void *d_layout, const void *algorithm, void *workspace,         \
                                             size_t bytes, StreamHandle stream))
#define POSED_CUDA_ENTRY(name, symbol, type, arguments) type(*name) arguments = nullptr;
  POSED_CUDA_MATRICES(POSED_CUDA_ENTRY)
#undef POSED_CUDA_ENTRY
};

} // namespace posed::cuda
