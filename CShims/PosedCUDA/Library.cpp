#include "Library.h"

#include <dlfcn.h>
#include <glob.h>

#include <cstdlib>
#include <sstream>

namespace posed::cuda {
namespace {

std::string environment(const char *name) {
  const char *value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The folders that a pattern matches, the last in order of names first: higher versions before lower.
std::vector<std::string> matching(const std::string &pattern) {
  std::vector<std::string> found;
  glob_t matches = {};
  if (glob(pattern.c_str(), GLOB_NOSORT, nullptr, &matches) == 0) {
    found.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  }
  globfree(&matches);
  return {found.rbegin(), found.rend()};
}

/// Where libraries lie below the root of a toolkit or of Python's packages.
void append_root(std::vector<std::string> &folders, const std::string &root) {
  if (root.empty() || root[0] != '/') return; // a relative one would mean another folder tomorrow
  for (const char *below : {"", "/lib64", "/lib", "/targets/x86_64-linux/lib", "/targets/sbsa-linux/lib",
                            "/nvidia/cu13/lib", "/nvidia/cuda_nvrtc/lib", "/nvidia/cublas/lib"}) {
    folders.push_back(root + below);
  }
}

void append_python(std::vector<std::string> &folders, const std::string &prefix) {
  if (prefix.empty()) return;
  for (const char *packages : {"/lib/python3*/site-packages", "/lib/python3*/dist-packages"}) {
    for (const std::string &root : matching(prefix + packages)) append_root(folders, root);
  }
}

/// Folders that the environment names.
std::vector<std::string> named_folders() {
  std::vector<std::string> folders;
  std::istringstream path(environment("POSED_CUDA_PATH"));
  for (std::string root; std::getline(path, root, ':');) append_root(folders, root);
  append_root(folders, environment("CUDA_HOME"));
  append_root(folders, environment("CUDA_PATH"));
  return folders;
}

/// Folders that toolkits, drivers and Python's packages like.
std::vector<std::string> usual_folders() {
  std::vector<std::string> folders;
  append_root(folders, "/usr/local/cuda");
  for (const char *pattern : {"/usr/local/cuda-13*", "/usr/local/cuda-12*"}) {
    for (const std::string &root : matching(pattern)) append_root(folders, root);
  }
  append_root(folders, "/opt/cuda");
  for (const char *folder : {"/usr/lib/wsl/lib", "/usr/local/nvidia/lib64", "/usr/lib64",
                             "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"}) {
    folders.push_back(folder);
  }
  for (const char *name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) append_python(folders, environment(name));
  std::string home = environment("HOME");
  if (!home.empty()) append_python(folders, home + "/.local");
  append_python(folders, "/usr/local");
  append_python(folders, "/usr");
  append_python(folders, "/opt/conda");
  return folders;
}

} // namespace

Library Library::find(const std::vector<std::string> &names, bool lazily) {
  Library library;
  auto open = [&](const std::string &folder, const std::string &name) {
    const std::string path = folder.empty() ? name : folder + "/" + name;
    library.handle_ = dlopen(path.c_str(), (lazily ? RTLD_LAZY : RTLD_NOW) | RTLD_LOCAL);
    library.name_ = name;
    library.folder_ = folder;
    return library.handle_ != nullptr;
  };
  auto search = [&](const std::vector<std::string> &folders) {
    for (const std::string &name : names) {
      for (const std::string &folder : folders) {
        if (open(folder, name)) return true;
      }
    }
    return false;
  };
  if (search(named_folders())) return library;
  if (environment("POSED_CUDA_SEARCH") == "named") return {};
  for (const std::string &name : names) {
    if (open("", name)) return library;
  }
  if (search(usual_folders())) return library;
  return {};
}

void Library::bring(const std::string &neighbour) const {
  if (!folder_.empty()) (void)dlopen((folder_ + "/" + neighbour).c_str(), RTLD_NOW | RTLD_LOCAL);
}

void *Library::symbol(const char *name) const { return handle_ == nullptr ? nullptr : dlsym(handle_, name); }

} // namespace posed::cuda
