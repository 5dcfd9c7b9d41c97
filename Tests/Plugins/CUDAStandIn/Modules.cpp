// libcuda: modules and launches. A module's image is a library for the host, behind a magic word and its
// length; a kernel is a function of it that runs blocks of threads one after the other.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "StandIn.h"

using namespace standin;

#define ENTER(name)                                                                                          \
  std::lock_guard lock(world().mutex);                                                                       \
  if (Result entered = enter(name); entered != success) return entered

namespace {

using Entry = void (*)(const void *);
using Run = int (*)(Entry, const void *, const unsigned *, const unsigned *, size_t, int);

struct KernelFunction {
  Entry entry = nullptr;
  Run run = nullptr;
  unsigned parameter_bytes = 0;
  unsigned shared_bytes = 48 << 10; // that a launch may ask for
};

struct LoadedModule {
  void *library = nullptr;
  std::map<std::string, std::unique_ptr<KernelFunction>> functions;
};

} // namespace

STANDIN_EXPORT Result cuModuleLoadData(LoadedModule **module, const void *image) {
  ENTER("cuModuleLoadData");
  uint64_t bytes = 0;
  if (std::memcmp(image, "STANDIN1", 8) != 0) return invalid_image;
  std::memcpy(&bytes, static_cast<const char *>(image) + 8, sizeof bytes);
  // A name of its own for each: the loader knows a library again by its path.
  std::string path = setting("TMPDIR", "/tmp") + "/posed-kernel-XXXXXX";
  int file = mkstemp(path.data());
  if (file < 0) return out_of_memory;
  const char *library = static_cast<const char *>(image) + 16;
  bool written = write(file, library, bytes) == ssize_t(bytes);
  close(file);
  void *handle = written ? dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
  unlink(path.c_str());
  if (handle == nullptr) return invalid_image;
  *module = new LoadedModule;
  (*module)->library = handle;
  ++current()->modules;
  return success;
}

STANDIN_EXPORT Result cuModuleUnload(LoadedModule *module) {
  ENTER("cuModuleUnload");
  drain_all(*current());
  dlclose(module->library);
  delete module;
  --current()->modules;
  return success;
}

STANDIN_EXPORT Result cuModuleGetFunction(KernelFunction **function, LoadedModule *module, const char *name) {
  ENTER("cuModuleGetFunction");
  auto kernel = std::make_unique<KernelFunction>();
  kernel->entry = reinterpret_cast<Entry>(dlsym(module->library, name));
  kernel->run = reinterpret_cast<Run>(dlsym(module->library, "posed_emulated_launch"));
  auto *bytes = static_cast<const unsigned *>(dlsym(module->library, (std::string(name) + "_bytes").c_str()));
  if (kernel->entry == nullptr || kernel->run == nullptr || bytes == nullptr) return not_found;
  kernel->parameter_bytes = *bytes;
  auto &kept = module->functions[name];
  if (kept == nullptr) kept = std::move(kernel);
  *function = kept.get();
  return success;
}

STANDIN_EXPORT Result cuFuncSetAttribute(KernelFunction *function, int attribute, int value) {
  ENTER("cuFuncSetAttribute");
  if (attribute != 8 || value < 0 || value > most_shared_bytes()) return invalid_value;
  function->shared_bytes = unsigned(value);
  return success;
}

STANDIN_EXPORT Result cuLaunchKernel(KernelFunction *function, unsigned grid_x, unsigned grid_y,
                                     unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                                     unsigned shared_bytes, Stream *stream, void **parameters, void **extra) {
  ENTER("cuLaunchKernel");
  if (extra != nullptr || shared_bytes > function->shared_bytes) return invalid_value;
  if (grid_x == 0 || grid_y == 0 || grid_z == 0 || grid_y > 65535 || grid_z > 65535) return invalid_value;
  auto *begin = static_cast<const unsigned char *>(parameters[0]);
  std::vector<unsigned char> kept(begin, begin + function->parameter_bytes);
  const std::array<unsigned, 3> grid = {grid_x, grid_y, grid_z}, block = {block_x, block_y, block_z};
  return submit(stream, [=, kept = std::move(kept)]() -> Result {
    if (Result planned = enter("kernel"); planned != success) return planned;
    alignas(16) unsigned char own[4096];
    std::memcpy(own, kept.data(), kept.size());
    const bool backwards = setting("POSED_STANDIN_ORDER", "") == "backwards";
    return function->run(function->entry, own, grid.data(), block.data(), shared_bytes, backwards);
  });
}
