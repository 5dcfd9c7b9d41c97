// NVRTC, the compiler of kernels at run time, with declarations of our own.
#pragma once

#include <string>
#include <vector>

namespace posed::cuda {

/// What every kernel is compiled with, target and definitions aside.
constexpr const char *compiler_options[] = {"--std=c++17", "-default-device"};

/// What a module is compiled from.
struct ModuleKey {
  std::string file;                 // "linear.cu"
  std::vector<std::string> defines; // "POSED_TYPE=bf16"
  std::string text() const;         // for maps and messages
};

/// The compiler, found and bound once in a process.
class Compiler {
public:
  /// For a driver of this version; throws a Failure with POSED_UNSUPPORTED and one sentence where there is
  /// none.
  static const Compiler &shared(int driver_version);

  int major() const { return major_; }
  /// "13.2"
  std::string version() const { return std::to_string(major_) + "." + std::to_string(minor_); }
  /// The target for a device of this capability, 90 for 9.0: "sm_90a", or "compute_89" where the compiler is
  /// older than the device and the driver must finish its work.
  std::string target(int capability) const;
  /// The machine code; throws a Failure with the compiler's first complaint.
  std::string compile(const ModuleKey &key, const std::string &target) const;

private:
  using Program = struct ProgramObject *;
  using Status = int;

  void bind(int driver_version);
  void require(Status status, const char *what) const;

  int major_ = 0, minor_ = 0;
  std::vector<int> capabilities_;
// name, the compiler's name, arguments
#define POSED_CUDA_COMPILER(entry)                                                                           \
  entry(version_, "nvrtcVersion", (int *major, int *minor)) entry(architecture_count_,                       \
                                                                  "nvrtcGetNumSupportedArchs", (int *count)) \
      entry(architectures_, "nvrtcGetSupportedArchs", (int *capabilities)) entry(                            \
          create_, "nvrtcCreateProgram",                                                                     \
          (Program * program, const char *text, const char *name, int headers, const char *const *contents,  \
           const char *const *names)) entry(destroy_, "nvrtcDestroyProgram", (Program * program))            \
          entry(compile_, "nvrtcCompileProgram", (Program program, int options, const char *const *texts))   \
              entry(log_size_, "nvrtcGetProgramLogSize", (Program program, size_t * bytes))                  \
                  entry(log_, "nvrtcGetProgramLog", (Program program, char *log))                            \
                      entry(cubin_size_, "nvrtcGetCUBINSize", (Program program, size_t * bytes))             \
                          entry(cubin_, "nvrtcGetCUBIN", (Program program, char *code))                      \
                              entry(ptx_size_, "nvrtcGetPTXSize", (Program program, size_t * bytes))         \
                                  entry(ptx_, "nvrtcGetPTX", (Program program, char *code))
#define POSED_CUDA_ENTRY(name, symbol, arguments) Status(*name) arguments = nullptr;
  POSED_CUDA_COMPILER(POSED_CUDA_ENTRY)
#undef POSED_CUDA_ENTRY
};

} // namespace posed::cuda
