// Finding NVIDIA's libraries at run time. Nothing of CUDA is needed to build the plugin, and none of it
// need be there for the process to run.
#pragma once

#include <string>
#include <vector>

namespace posed::cuda {

/// A library that has been opened. Never closed: NVIDIA's do not stand it.
class Library {
public:
  /// Opens the first of `names` that there is, looking through the folders of POSED_CUDA_PATH, CUDA_HOME
  /// and CUDA_PATH, then, unless POSED_CUDA_SEARCH is "named", where the loader looks and the usual ones; an
  /// empty handle if there is none. `lazily`: quick, but a function that it lacks itself shows when called.
  static Library find(const std::vector<std::string> &names, bool lazily = false);

  explicit operator bool() const { return handle_ != nullptr; }
  /// "libnvrtc.so.13"
  const std::string &name() const { return name_; }
  /// Opens a library that lies beside this one, if it does, for those that this one opens by their name
  /// alone.
  void bring(const std::string &neighbour) const;
  /// Address of a function, or null.
  void *symbol(const char *name) const;

private:
  void *handle_ = nullptr;
  std::string name_, folder_; // no folder: the loader found it
};

} // namespace posed::cuda
