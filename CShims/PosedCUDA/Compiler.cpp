#include "Compiler.h"

#include <algorithm>
#include <iterator>

#include "Library.h"
#include "Sources.h"
#include "posed_plugin/status.h"

namespace posed::cuda {
namespace {

/// Up to the first line of a log that says what is wrong.
std::string complaint(const std::string &log) {
  size_t at = log.find("error");
  if (at == std::string::npos) return "no reason was given";
  size_t begin = log.rfind('\n', at), end = log.find('\n', at);
  begin = begin == std::string::npos ? 0 : begin + 1;
  return log.substr(begin, end == std::string::npos ? end : end - begin);
}

} // namespace

std::string ModuleKey::text() const {
  std::string result = file;
  for (const std::string &define : defines) result += " " + define;
  return result;
}

const Compiler &Compiler::shared(int driver_version) {
  static const Compiler compiler = [&] {
    Compiler bound;
    bound.bind(driver_version);
    return bound;
  }();
  return compiler;
}

void Compiler::bind(int driver_version) {
  // A driver runs what compilers of its own major version and older ones make.
  std::vector<std::string> names;
  if (driver_version >= 13000) names.push_back("libnvrtc.so.13");
  names.push_back("libnvrtc.so.12");
  Library library = Library::find(names);
  if (!library) {
    fail(POSED_UNSUPPORTED,
         "The CUDA compiler for the kernels, %s, was not found; POSED_CUDA_PATH may name its folder.",
         names.size() == 2 ? "libnvrtc.so.13 or .12" : "libnvrtc.so.12");
  }
#define POSED_CUDA_ENTRY(member, symbol_name, arguments)                                                     \
  member = reinterpret_cast<Status(*) arguments>(library.symbol(symbol_name));                               \
  if (member == nullptr) {                                                                                   \
    fail(POSED_UNSUPPORTED, "The CUDA compiler is incomplete: %s has no %s.", library.name().c_str(),        \
         symbol_name);                                                                                       \
  }
  POSED_CUDA_COMPILER(POSED_CUDA_ENTRY)
#undef POSED_CUDA_ENTRY
  require(version_(&major_, &minor_), "asking for its version");
  // It opens this one by name, and not every release of it looks beside itself.
  library.bring("libnvrtc-builtins.so." + version());
  int count = 0;
  require(architecture_count_(&count), "counting its targets");
  capabilities_.resize(static_cast<size_t>(std::max(count, 0)));
  require(architectures_(capabilities_.data()), "listing its targets");
}

void Compiler::require(Status status, const char *what) const {
  if (status != 0) fail(POSED_INTERNAL, "NVRTC: %s failed with error %d.", what, status);
}

std::string Compiler::target(int capability) const {
  int best = 0;
  for (int known : capabilities_) {
    if (known <= capability) best = std::max(best, known);
  }
  if (best == 0) {
    fail(POSED_UNSUPPORTED, "NVRTC %s knows no target for a device of capability %d.%d.", version().c_str(),
         capability / 10, capability % 10);
  }
  // Machine code of a lower minor version runs on the device; of another major version, only PTX does. The
  // instructions of groups of warps exist for 9.0 alone.
  std::string number = std::to_string(best) + (best == 90 && capability == 90 ? "a" : "");
  return (best / 10 == capability / 10 ? "sm_" : "compute_") + number;
}

std::string Compiler::compile(const ModuleKey &key, const std::string &target) const {
  const char *text = nullptr;
  std::vector<const char *> contents, names;
  for (int i = 0; i < posed_cuda_source_count; ++i) {
    const posed_cuda_source &source = posed_cuda_sources[i];
    if (key.file == source.name) text = source.text;
    if (std::string_view(source.name).ends_with(".cu")) continue;
    contents.push_back(source.text);
    names.push_back(source.name);
  }
  if (text == nullptr) fail(POSED_INTERNAL, "There is no kernel file %s.", key.file.c_str());
  std::vector<std::string> options = {"--gpu-architecture=" + target};
  options.insert(options.end(), std::begin(compiler_options), std::end(compiler_options));
  for (const std::string &define : key.defines) options.push_back("-D" + define);
  std::vector<const char *> option_texts;
  for (const std::string &option : options) option_texts.push_back(option.c_str());

  struct Owner {
    const Compiler &compiler;
    Program program = nullptr;
    ~Owner() {
      if (program != nullptr) compiler.destroy_(&program);
    }
  } owner{*this};
  require(create_(&owner.program, text, key.file.c_str(), static_cast<int>(names.size()), contents.data(),
                  names.data()),
          "making a program");
  Status status = compile_(owner.program, static_cast<int>(options.size()), option_texts.data());
  if (status != 0) {
    size_t bytes = 0;
    std::string log;
    if (log_size_(owner.program, &bytes) == 0) {
      log.resize(bytes);
      if (log_(owner.program, log.data()) != 0) log.clear();
    }
    fail(POSED_INTERNAL, "NVRTC %s could not compile %s for %s: %s.", version().c_str(), key.text().c_str(),
         target.c_str(), complaint(log).c_str());
  }
  bool finished = target.starts_with("sm_");
  size_t bytes = 0;
  require((finished ? cubin_size_ : ptx_size_)(owner.program, &bytes), "asking for the code's size");
  std::string code(bytes, '\0');
  require((finished ? cubin_ : ptx_)(owner.program, code.data()), "fetching the code");
  return code;
}

} // namespace posed::cuda
