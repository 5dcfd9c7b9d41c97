#include "KernelCache.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "Sources.h"

// An entry is: magic, title, newline, digest of the code in 16 digits, newline, code.
namespace posed::cuda {
namespace {

constexpr const char *magic = "posed kernel 1\n";

/// FNV-1a with 64 bits: tells entries apart and finds broken ones; it is no defence.
uint64_t digest(const std::string &text, uint64_t hash = 0xcbf29ce484222325u) {
  for (unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3u;
  return hash;
}

std::string digits(uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

std::string default_folder() {
  auto below = [](const char *variable, const char *rest) -> std::string {
    const char *value = std::getenv(variable);
    return value == nullptr || value[0] != '/' ? "" : std::string(value) + rest;
  };
  for (std::string folder : {below("CACHE_DIRECTORY", "/cuda"), below("XDG_CACHE_HOME", "/posed/cuda"),
                             below("HOME", "/.cache/posed/cuda")}) {
    // systemd separates several folders by colons; the first is ours.
    if (size_t colon = folder.find(':'); colon != std::string::npos)
      folder = folder.substr(0, colon) + "/cuda";
    if (!folder.empty()) return folder;
  }
  return "";
}

/// Of all that goes into every kernel: texts and options.
uint64_t digest_of_sources() {
  static const uint64_t hash = [] {
    uint64_t value = digest("");
    for (const char *option : compiler_options) value = digest(option, value);
    for (int i = 0; i < posed_cuda_source_count; ++i) {
      value = digest(posed_cuda_sources[i].name, value);
      value = digest(posed_cuda_sources[i].text, value);
    }
    return value;
  }();
  return hash;
}

} // namespace

KernelCache::KernelCache(const std::string &folder, const std::string &compiler_version,
                         const std::string &target)
    : folder_(folder.empty() ? default_folder() : folder),
      prefix_("sources " + digits(digest_of_sources()) + ", NVRTC " + compiler_version + ", " + target +
              ", ") {
  if (folder_.empty()) return;
  std::error_code error; // what goes wrong here shows as an entry that is not kept
  if (std::filesystem::create_directories(folder_, error)) {
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, error);
  }
}

std::string KernelCache::title(const ModuleKey &key) const { return prefix_ + key.text() + "\n"; }

std::string KernelCache::path(const std::string &title) const {
  return folder_ + "/" + digits(digest(title)) + ".kernel";
}

std::string KernelCache::load(const ModuleKey &key) const {
  if (folder_.empty()) return "";
  const std::string name = title(key), head = magic + name;
  std::ifstream file(path(name), std::ios::binary);
  std::string entry{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  constexpr size_t digest_bytes = 17;
  if (entry.size() <= head.size() + digest_bytes || !entry.starts_with(head)) return "";
  std::string code = entry.substr(head.size() + digest_bytes);
  bool sound = entry.compare(head.size(), digest_bytes, digits(digest(code)) + "\n") == 0;
  return sound ? code : "";
}

void KernelCache::store(const ModuleKey &key, const std::string &code) const {
  if (folder_.empty()) return;
  const std::string name = title(key), place = path(name);
  std::string temporary = place + ".XXXXXX";
  int descriptor = mkstemp(temporary.data());
  if (descriptor < 0) return;
  const std::string entry = magic + name + digits(digest(code)) + "\n" + code;
  size_t written = 0;
  while (written < entry.size()) {
    ssize_t bytes = write(descriptor, entry.data() + written, entry.size() - written);
    if (bytes <= 0) break;
    written += static_cast<size_t>(bytes);
  }
  bool kept =
      close(descriptor) == 0 && written == entry.size() && std::rename(temporary.c_str(), place.c_str()) == 0;
  if (!kept) unlink(temporary.c_str());
}

} // namespace posed::cuda
