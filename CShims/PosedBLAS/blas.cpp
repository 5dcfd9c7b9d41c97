#include "blas.h"

#include <dlfcn.h>

#include <sstream>

#include "posed_plugin/status.h"

namespace posed::blas {
namespace {

// Of the C interface, with the 32-bit integers of distributions.
constexpr int row_major = 101, no_transpose = 111, transpose = 112;

template <class Function> Function find(void *handle, const char *name) {
  return reinterpret_cast<Function>(dlsym(handle, name));
}

/// "OpenBLAS 0.3.21", of a configuration such as "OpenBLAS 0.3.21 NO_LAPACKE …".
std::string name_of_library(void *handle) {
  using Text = char *(*)();
  auto configuration = find<Text>(handle, "openblas_get_config");
  if (configuration == nullptr) return "a BLAS";
  std::istringstream words(configuration());
  std::string name, version;
  words >> name >> version;
  return name + " " + version;
}

Library open() {
  Library found;
  void *handle = dlopen("libblas.so.3", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char *reason = dlerror();
    found.problem =
        std::string("There is no BLAS: ") + (reason == nullptr ? "no reason was given" : reason) + ".";
    return found;
  }
  found.sgemm = find<decltype(found.sgemm)>(handle, "cblas_sgemm");
  if (found.sgemm == nullptr) {
    found.problem = "libblas.so.3 has no C interface: it lacks cblas_sgemm.";
    return found;
  }
  using SetThreads = void (*)(int);
  for (const char *name : {"openblas_set_num_threads", "MKL_Set_Num_Threads"}) {
    if (auto set_threads = find<SetThreads>(handle, name)) set_threads(1);
  }
  found.name = name_of_library(handle);
  return found;
}

} // namespace

const Library &library() {
  static const Library found = open();
  return found;
}

void multiply(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, bool transposed, float *c,
              int64_t c_stride, bool add) {
  library().sgemm(row_major, no_transpose, transposed ? transpose : no_transpose, static_cast<int>(m),
                  static_cast<int>(n), static_cast<int>(k), 1.0f, a.data, static_cast<int>(a.stride), b.data,
                  static_cast<int>(b.stride), add ? 1.0f : 0.0f, c, static_cast<int>(c_stride));
}

} // namespace posed::blas
