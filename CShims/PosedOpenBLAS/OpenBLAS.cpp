#include "OpenBLAS.h"

#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <sstream>

#include "posed_cpu/features.h"
#include "posed_plugin/status.h"

namespace posed::blas {
namespace {

// From OpenBLAS's C interface, built with 32-bit integers as distributions do.
constexpr int row_major = 101, no_transpose = 111;
using Sgemm = void (*)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                       const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);
using SetThreads = void (*)(int);
using Text = char *(*)();

struct Library {
  Sgemm sgemm = nullptr;
  float32::Engine engine = {};
  std::string problem;
};

Library &library() {
  static Library loaded;
  return loaded;
}

void multiply(const Product &product, int64_t columns) {
  for (int64_t segment = 0; segment < product.segments; ++segment) {
    const float *a = product.a + (product.offsets == nullptr ? 0 : product.offsets[segment]);
    bool add = product.add || segment > 0;
    // OpenBLAS refuses rows that lie upon each other, and knows only distances of 31 bits.
    bool regular = product.a_stride >= product.length && product.a_stride <= INT32_MAX;
    int64_t together = regular ? product.rows : 1;
    int64_t distance = regular ? product.a_stride : product.length;
    for (int64_t row = 0; row < product.rows; row += together) {
      library().sgemm(row_major, no_transpose, no_transpose, static_cast<int>(together),
                      static_cast<int>(columns), static_cast<int>(product.length), 1.0f,
                      a + row * product.a_stride, static_cast<int>(distance),
                      product.b + segment * product.length * product.b_row, static_cast<int>(product.b_row),
                      add ? 1.0f : 0.0f, product.c + row * product.c_row, static_cast<int>(product.c_row));
    }
  }
}

void load(Library &library) {
  void *handle = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char *reason = dlerror();
    library.problem = std::string("OpenBLAS could not be loaded: ") +
                      (reason == nullptr ? "no reason given" : reason) + ".";
    return;
  }
  library.sgemm = reinterpret_cast<Sgemm>(dlsym(handle, "cblas_sgemm"));
  auto set_threads = reinterpret_cast<SetThreads>(dlsym(handle, "openblas_set_num_threads"));
  auto core_name = reinterpret_cast<Text>(dlsym(handle, "openblas_get_corename"));
  auto configuration = reinterpret_cast<Text>(dlsym(handle, "openblas_get_config"));
  if (library.sgemm == nullptr || set_threads == nullptr) {
    library.problem = "libopenblas.so.0 lacks cblas_sgemm or openblas_set_num_threads.";
    return;
  }
  set_threads(1); // the device's own threads share the work out
  std::string core = core_name == nullptr ? "unknown" : core_name();
  std::string version = "unknown"; // the second word of "OpenBLAS 0.3.21 NO_LAPACKE …"
  if (configuration != nullptr) std::istringstream(configuration()).ignore(64, ' ') >> version;
  library.engine = {
      .name = "openblas-" + version + "-" + core, .panel = 128, .exact_rows = false, .product = multiply};
}

} // namespace

const float32::Engine *openblas_engine(std::string &why) {
  static std::once_flag once;
  std::call_once(once, [] { load(library()); });
  why = library().problem;
  return why.empty() ? &library().engine : nullptr;
}

const float32::Engine &choose_engine() {
  const char *wish = std::getenv("POSED_BLAS_PRODUCT");
  bool asked = wish != nullptr && std::strcmp(wish, "openblas") == 0;
  bool refused = wish != nullptr && std::strcmp(wish, "own") == 0;
  if (wish != nullptr && !asked && !refused) {
    fail(POSED_UNSUPPORTED, "POSED_BLAS_PRODUCT is \"%s\"; expected \"own\" or \"openblas\".", wish);
  }
  if (!asked && (refused || features().isa() != Isa::baseline)) return float32::own_engine();
  std::string why;
  const float32::Engine *engine = openblas_engine(why);
  if (engine != nullptr) return *engine;
  if (asked) fail(POSED_UNSUPPORTED, "%s", why.c_str());
  return float32::own_engine();
}

} // namespace posed::blas
