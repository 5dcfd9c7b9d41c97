// The compiled kernels of a device: from the cache on disk or from the compiler, when they are first used.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "Compiler.h"
#include "Driver.h"
#include "KernelCache.h"
#include "MemoryPool.h"

namespace posed::cuda {

/// A kernel that can be launched.
struct Kernel {
  Function function = nullptr;
  unsigned threads = 0;      // of a block
  unsigned shared_bytes = 0; // dynamic shared memory of a block
};

/// Safe from any thread, with the device's context current.
class Kernels {
public:
  /// `pool`: gives back what it keeps where the driver has no memory for a kernel.
  Kernels(const Driver &driver, const Compiler &compiler, MemoryPool &pool, int capability,
          const std::string &cache_folder);

  /// Throws a Failure where the kernel cannot be compiled, loaded or given its shared memory.
  Kernel get(const ModuleKey &key, const char *name, unsigned threads, unsigned shared_bytes);
  /// Forgets all of them.
  void close() noexcept;

private:
  Module module(const ModuleKey &key, const std::string &text);
  Result load(Module &module, const std::string &code);

  const Driver &driver_;
  const Compiler &compiler_;
  MemoryPool &pool_;
  const std::string target_;
  const KernelCache cache_;
  std::mutex mutex_;
  std::unordered_map<std::string, Module> modules_;
  std::unordered_map<std::string, Kernel> kernels_;
};

} // namespace posed::cuda
