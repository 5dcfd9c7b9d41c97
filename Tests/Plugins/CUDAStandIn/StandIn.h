// A GPU that is not there: libcuda, NVRTC and cuBLASLt in one library, with a device whose memory is the
// host's and whose kernels are the plugin's own texts, compiled for the host. Tests put links with NVIDIA's
// names to it into a folder and point POSED_CUDA_PATH there.
//
// It is strict rather than fast. Work on a stream is done as late as the rules allow: when somebody waits for
// it. Memory ends at a page that nobody may touch, and is filled with NaN when it is made. A thread without a
// context, a copy from memory that has been reused, an attribute of a wrong size are errors.
//
// Environment, read when it matters:
//   POSED_STANDIN_DEVICES     how many devices there are; 1
//   POSED_STANDIN_VERSION     major version of driver and libraries; 13
//   POSED_STANDIN_CAPABILITY  of the devices; 90
//   POSED_STANDIN_MEMORY      bytes of a device; 4 GiB
//   POSED_STANDIN_FAIL        NAME:N:CODE — call number N of NAME gives CODE; from 700 on the context is
//                             lost. "kernel" and "product" are work when it is done, the others entry points
//   POSED_STANDIN_LOSE        a file; once it is there, kernels meet illegal addresses
//   POSED_STANDIN_ORDER       "backwards": the last thread of a block goes first, and asynchronous copies and
//                             products happen at once instead of when they are waited for
//   POSED_STANDIN_EDIT        FILE:N:OLD:NEW — occurrence number N of OLD in a kernel's text becomes NEW
//   POSED_STANDIN_DEFINE      one more definition for kernels; POSED_WRONG_GROUPS makes groups of warps err
//   POSED_STANDIN_BUILTINS    anything: NVRTC does not look beside itself for the library of its builtins
//   POSED_STANDIN_CACHE       folder of compiled kernels
//   POSED_STANDIN_REPORT      file that the counts of calls are appended to when the last context goes
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#define STANDIN_EXPORT extern "C" __attribute__((visibility("default")))

namespace standin {

using Result = int;
enum : Result {
  success = 0,
  invalid_value = 1,
  out_of_memory = 2,
  no_device = 100,
  invalid_image = 200,
  invalid_context = 201,
  not_found = 500,
  not_ready = 600,
  illegal_address = 700,
  capture_unsupported = 900,
};

/// One piece of work. Returns what it comes to.
using Work = std::function<Result()>;

struct Graph {
  std::vector<Work> work;
};

struct Stream {
  int device = 0;
  std::deque<Work> waiting;
  uint64_t submitted = 0, done = 0;
  Graph *capture = nullptr; // work is kept there instead of being done
  bool invalidated = false;
};

struct Event {
  Stream *stream = nullptr; // null: nothing recorded
  uint64_t position = 0;
};

struct Allocation {
  void *mapping = nullptr;
  size_t mapped = 0, bytes = 0;
};

constexpr int first_device = 7; // a number of the driver's own

struct Context {
  int device = 0, users = 0;
  Result lost = success; // what every call gives from now on
  std::map<uintptr_t, Allocation> memory;
  std::vector<Stream *> streams;
  size_t used = 0;
  int events = 0, modules = 0, graphs = 0, pinned = 0; // that have not been given back
};

/// Everything there is, under one lock.
struct World {
  std::recursive_mutex mutex;
  std::map<int, Context> contexts; // by device
  std::map<std::string, uint64_t> calls;
};

World &world();
/// The calling thread's context, or null.
Context *&current();

std::string setting(const char *name, const char *otherwise);
uint64_t number_setting(const char *name, uint64_t otherwise);
/// That a block of a device of this capability may have.
int most_shared_bytes();

/// Counts a call; what it is to fail with, or success. A context that is lost fails every call.
Result enter(const char *call, bool needs_context = true);
/// Puts work on a stream.
Result submit(Stream *stream, Work work);
/// Does a stream's work up to a position.
Result drain(Stream *stream, uint64_t position);
/// Does all work of a context.
Result drain_all(Context &context);
/// Reports what has not been given back, and forgets the context's state.
void forget(Context &context);

/// Compiles a kernel's text for the host; the library's bytes, or empty with the reason in `log`.
std::string compile(const std::string &name, const std::string &text,
                    const std::vector<std::pair<std::string, std::string>> &headers,
                    const std::vector<std::string> &defines, std::string &log);

} // namespace standin
