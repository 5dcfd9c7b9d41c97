#include "Kernels.h"

namespace posed::cuda {
namespace {

constexpr unsigned free_shared_bytes = 48 * 1024; // what a block may have without being asked for

} // namespace

Kernels::Kernels(const Driver &driver, const Compiler &compiler, MemoryPool &pool, int capability,
                 const std::string &cache_folder)
    : driver_(driver), compiler_(compiler), pool_(pool), target_(compiler.target(capability)),
      cache_(cache_folder, compiler.version(), target_) {}

Kernel Kernels::get(const ModuleKey &key, const char *name, unsigned threads, unsigned shared_bytes) {
  const std::string text = key.text(), full = text + " " + name;
  std::lock_guard lock(mutex_);
  auto found = kernels_.find(full);
  if (found != kernels_.end() && found->second.shared_bytes >= shared_bytes) {
    Kernel kernel = found->second;
    kernel.shared_bytes = shared_bytes;
    return kernel;
  }
  Kernel kernel{.function = nullptr, .threads = threads, .shared_bytes = shared_bytes};
  driver_.require(driver_.module_function(&kernel.function, module(key, text), name), "looking for a kernel");
  if (shared_bytes > free_shared_bytes) {
    driver_.require(
        driver_.function_set(kernel.function, function_shared_bytes, static_cast<int>(shared_bytes)),
        "asking for shared memory");
  }
  kernels_[full] = kernel;
  return kernel;
}

Module Kernels::module(const ModuleKey &key, const std::string &text) {
  auto found = modules_.find(text);
  if (found != modules_.end()) return found->second;
  Module module = nullptr;
  const std::string kept = cache_.load(key);
  if (kept.empty() || load(module, kept) != success) {
    const std::string code = compiler_.compile(key, target_);
    driver_.require(load(module, code), "loading a kernel");
    cache_.store(key, code);
  }
  modules_.emplace(text, module);
  return module;
}

Result Kernels::load(Module &module, const std::string &code) {
  return pool_.with_room([&] { return driver_.module_load(&module, code.c_str()); });
}

void Kernels::close() noexcept {
  std::lock_guard lock(mutex_);
  for (const auto &[text, module] : modules_) driver_.module_unload(module);
  modules_.clear();
  kernels_.clear();
}

} // namespace posed::cuda
