// Compiled kernels on disk, so that a process starts without its compiler. An entry is keyed by everything
// that decides its content; what cannot be read back whole is compiled anew.
#pragma once

#include <string>

#include "Compiler.h"

namespace posed::cuda {

class KernelCache {
public:
  /// `folder`: where entries are kept; empty takes CACHE_DIRECTORY, then XDG_CACHE_HOME/posed, then
  /// ~/.cache/posed. A folder that cannot be written to keeps nothing, without an error.
  KernelCache(const std::string &folder, const std::string &compiler_version, const std::string &target);

  /// The code of a module; empty where there is no sound entry.
  std::string load(const ModuleKey &key) const;
  /// Keeps it. An entry appears whole or not at all.
  void store(const ModuleKey &key, const std::string &code) const;

private:
  std::string title(const ModuleKey &key) const;
  std::string path(const std::string &title) const;

  std::string folder_;
  const std::string prefix_; // of titles: sources, compiler, target
};

} // namespace posed::cuda
