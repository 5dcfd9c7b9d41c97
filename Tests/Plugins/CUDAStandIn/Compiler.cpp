// NVRTC: kernels are compiled for the host by clang++, once; the libraries are kept in a folder.
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "Emulation.h"
#include "StandIn.h"

extern char **environ;

namespace standin {
namespace {

std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_file(const std::string &path, const std::string &text) {
  std::ofstream(path, std::ios::binary) << text;
}

bool run(std::vector<std::string> words, const std::string &log) {
  std::vector<char *> arguments;
  for (std::string &word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = 0;
  int status = -1;
  bool started = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  if (started) waitpid(child, &status, 0);
  return started && status == 0;
}

/// Spoils a text as POSED_STANDIN_EDIT says: FILE:N:OLD:NEW, its occurrence number N of OLD becomes NEW.
bool edit(std::vector<std::pair<std::string, std::string>> &files) {
  const std::string plan = setting("POSED_STANDIN_EDIT", "");
  if (plan.empty()) return true;
  std::vector<std::string> words(1);
  for (char c : plan) {
    if (c == ':' && words.size() < 4) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (words.size() != 4 || words[2].empty()) return false;
  for (auto &[name, content] : files) {
    if (name != words[0]) continue;
    size_t at = content.find(words[2]);
    for (int i = std::atoi(words[1].c_str()); i > 1 && at != std::string::npos; --i) {
      at = content.find(words[2], at + 1);
    }
    if (at == std::string::npos) return false;
    content.replace(at, words[2].size(), words[3]);
    std::lock_guard lock(world().mutex);
    ++world().calls["spoiled " + name];
  }
  return true;
}

uint64_t digest(const std::string &text, uint64_t hash) {
  for (unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3u;
  return hash;
}

} // namespace

std::string compile(const std::string &name, const std::string &text,
                    const std::vector<std::pair<std::string, std::string>> &headers,
                    const std::vector<std::string> &defines, std::string &log) {
  std::vector<std::pair<std::string, std::string>> files = {
      {name, text},
      {"device.cuh", reinterpret_cast<const char *>(standin_device_text)},
      {"lanes.h", reinterpret_cast<const char *>(standin_lanes_text)}};
  for (const auto &header : headers) {
    if (header.first != "device.cuh") files.push_back(header);
  }
  if (!edit(files)) {
    log = "error: POSED_STANDIN_EDIT does not fit " + name;
    return "";
  }
  uint64_t hash = 0xcbf29ce484222325u;
  for (const auto &[file, content] : files) hash = digest(content, digest(file, hash));
  for (const std::string &define : defines) hash = digest(define, hash);
  const std::string cache = setting("POSED_STANDIN_CACHE", "/tmp/posed-standin");
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  const std::string kept = cache + "/" + digits + ".so";
  if (std::string library = read_file(kept); !library.empty()) return library;

  std::error_code ignored;
  std::filesystem::create_directories(cache, ignored);
  std::string folder = cache + "/XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    log = "error: no folder for " + name;
    return "";
  }
  for (const auto &[file, content] : files) write_file(folder + "/" + file, content);
  std::vector<std::string> words = {"clang++",
                                    "-x",
                                    "c++",
                                    "-std=c++20",
                                    "-O1",
                                    "-march=native",
                                    "-fPIC",
                                    "-shared",
                                    "-fvisibility=hidden",
                                    "-nostdlib++",
                                    "-fno-exceptions",
                                    "-ffp-contract=off",
                                    "-fsanitize=alignment",
                                    "-fsanitize-minimal-runtime",
                                    "-Wno-unknown-pragmas"};
  for (const std::string &define : defines) words.push_back("-D" + define);
  const std::string made = folder + "/kernel.so";
  words.insert(words.end(), {folder + "/" + name, "-o", made});
  std::string library;
  if (run(words, folder + "/log")) {
    library = read_file(made);
    std::rename(made.c_str(), kept.c_str());
  }
  log = read_file(folder + "/log");
  std::filesystem::remove_all(folder, ignored);
  return library;
}

} // namespace standin

using namespace standin;

struct Program {
  std::string name, text, log, image, target;
  std::vector<std::pair<std::string, std::string>> headers;
};

namespace {

constexpr int capabilities[] = {80, 86, 89, 90, 100, 120};
enum : int { invalid_input = 3, invalid_option = 5, compilation_failed = 6, no_builtins = 7 };

/// Whether the process has the library that NVRTC opens by its name alone.
bool has_builtins() {
  auto look = [](dl_phdr_info *info, size_t, void *) {
    return int(std::string_view(info->dlpi_name).find("/libnvrtc-builtins.so.") != std::string_view::npos);
  };
  return dl_iterate_phdr(look, nullptr) != 0;
}

} // namespace

STANDIN_EXPORT int nvrtcVersion(int *major, int *minor) {
  *major = int(number_setting("POSED_STANDIN_VERSION", 13));
  *minor = 2;
  return 0;
}

STANDIN_EXPORT int nvrtcGetNumSupportedArchs(int *count) {
  *count = int(std::size(capabilities));
  return 0;
}

STANDIN_EXPORT int nvrtcGetSupportedArchs(int *known) {
  std::copy(std::begin(capabilities), std::end(capabilities), known);
  return 0;
}

STANDIN_EXPORT int nvrtcCreateProgram(Program **program, const char *text, const char *name, int headers,
                                      const char *const *contents, const char *const *names) {
  *program = new Program;
  (*program)->text = text;
  (*program)->name = name;
  for (int i = 0; i < headers; ++i) (*program)->headers.push_back({names[i], contents[i]});
  return 0;
}

STANDIN_EXPORT int nvrtcDestroyProgram(Program **program) {
  delete *program;
  *program = nullptr;
  return 0;
}

STANDIN_EXPORT int nvrtcCompileProgram(Program *program, int count, const char *const *options) {
  {
    std::lock_guard lock(world().mutex);
    if (int planned = enter("nvrtcCompileProgram", false); planned != success) {
      program->log = "kernel.cu(1): error: as planned\n";
      return planned;
    }
  }
  if (!setting("POSED_STANDIN_BUILTINS", "").empty() && !has_builtins()) {
    program->log = "nvrtc: error: failed to open libnvrtc-builtins.so.13.2.\n";
    return no_builtins;
  }
  std::vector<std::string> defines;
  for (int i = 0; i < count; ++i) {
    const std::string option = options[i];
    if (option.starts_with("-D")) {
      defines.push_back(option.substr(2));
    } else if (option.starts_with("--gpu-architecture=")) {
      program->target = option.substr(std::strlen("--gpu-architecture="));
    } else if (option != "--std=c++17" && option != "-default-device") {
      return invalid_option;
    }
  }
  if (program->target.empty()) return invalid_option;
  if (const std::string more = setting("POSED_STANDIN_DEFINE", ""); !more.empty()) defines.push_back(more);
  {
    std::string what = "compiled " + program->name;
    for (const std::string &define : defines) what += " " + define;
    std::lock_guard lock(world().mutex);
    ++world().calls[what];
  }
  const std::string library = compile(program->name, program->text, program->headers, defines, program->log);
  if (library.empty()) return compilation_failed;
  const uint64_t bytes = library.size();
  program->image = "STANDIN1" + std::string(reinterpret_cast<const char *>(&bytes), sizeof bytes) + library;
  return 0;
}

STANDIN_EXPORT int nvrtcGetProgramLogSize(Program *program, size_t *bytes) {
  *bytes = program->log.size() + 1;
  return 0;
}

STANDIN_EXPORT int nvrtcGetProgramLog(Program *program, char *log) {
  std::memcpy(log, program->log.c_str(), program->log.size() + 1);
  return 0;
}

STANDIN_EXPORT int nvrtcGetCUBINSize(Program *program, size_t *bytes) {
  *bytes = program->target.starts_with("sm_") ? program->image.size() : 0;
  return 0;
}

STANDIN_EXPORT int nvrtcGetCUBIN(Program *program, char *code) {
  if (!program->target.starts_with("sm_")) return invalid_input;
  std::memcpy(code, program->image.data(), program->image.size());
  return 0;
}

STANDIN_EXPORT int nvrtcGetPTXSize(Program *program, size_t *bytes) {
  *bytes = program->image.size();
  return 0;
}

STANDIN_EXPORT int nvrtcGetPTX(Program *program, char *code) {
  std::memcpy(code, program->image.data(), program->image.size());
  return 0;
}
