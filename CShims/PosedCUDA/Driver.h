// The functions of the CUDA driver that this plugin calls, declared here in our own words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "posed_plugin/status.h"

namespace posed::cuda {

// Handles and numbers of the driver.
using Result = int;
using DeviceNumber = int;
using Address = unsigned long long; // of device memory
struct ContextObject;
struct ModuleObject;
struct FunctionObject;
struct StreamObject;
struct EventObject;
struct GraphObject;
struct GraphExecutableObject;
using Context = ContextObject *;
using Module = ModuleObject *;
using Function = FunctionObject *;
using StreamHandle = StreamObject *;
using EventHandle = EventObject *;
using GraphHandle = GraphObject *;
using GraphExecutable = GraphExecutableObject *;

enum : Result {
  success = 0,
  error_out_of_memory = 2,
  error_no_device = 100,
  error_not_ready = 600,
};
enum : int {
  attribute_multiprocessors = 16,
  attribute_capability_major = 75,
  attribute_capability_minor = 76,
  attribute_shared_per_block = 97, // most dynamic shared memory that a block may ask for
  function_shared_bytes = 8,       // likewise, of one function
};
constexpr unsigned stream_non_blocking = 1, event_without_timing = 2, capture_relaxed = 2;

/// The driver, found and bound once in a process.
struct Driver {
  /// Throws a Failure with POSED_UNSUPPORTED and one sentence where there is no driver that works.
  static const Driver &shared();

  int version = 0; // 12040 for 12.4
  int devices = 0;

// name, the driver's name, arguments
#define POSED_CUDA_DRIVER(entry)                                                                             \
  entry(init, "cuInit", (unsigned flags)) entry(driver_version, "cuDriverGetVersion", (int *version)) entry( \
      error_name, "cuGetErrorName",                                                                          \
      (Result error, const char **name)) entry(device_count, "cuDeviceGetCount",                             \
                                               (int *count)) entry(device_get, "cuDeviceGet",                \
                                                                   (DeviceNumber * device, int ordinal))     \
      entry(device_name, "cuDeviceGetName", (char *name, int length, DeviceNumber device)) entry(            \
          device_attribute, "cuDeviceGetAttribute",                                                          \
          (int *value, int attribute, DeviceNumber device)) entry(device_memory, "cuDeviceTotalMem_v2",      \
                                                                  (size_t * bytes, DeviceNumber device))     \
          entry(context_retain, "cuDevicePrimaryCtxRetain", (Context * context, DeviceNumber device)) entry( \
              context_release, "cuDevicePrimaryCtxRelease_v2",                                               \
              (DeviceNumber device)) entry(context_set, "cuCtxSetCurrent", (Context context))                \
              entry(allocate, "cuMemAlloc_v2", (Address * address, size_t bytes)) entry(                     \
                  free,                                                                                      \
                  "cuMemFree_v2",                                                                            \
                  (Address address)) entry(host_allocate, "cuMemHostAlloc",                                  \
                                           (void **address, size_t bytes, unsigned flags))                   \
                  entry(host_free, "cuMemFreeHost", (void *address)) entry(                                  \
                      copy_in, "cuMemcpyHtoDAsync_v2",                                                       \
                      (Address to, const void *from, size_t bytes, StreamHandle stream))                     \
                      entry(copy_out, "cuMemcpyDtoHAsync_v2",                                                \
                            (void *to, Address from, size_t bytes,                                           \
                             StreamHandle stream)) entry(stream_create, "cuStreamCreate",                    \
                                                         (StreamHandle * stream, unsigned flags))            \
                          entry(stream_destroy, "cuStreamDestroy_v2", (StreamHandle stream))                 \
                              entry(stream_synchronize, "cuStreamSynchronize", (StreamHandle stream)) entry( \
                                  stream_wait, "cuStreamWaitEvent",                                          \
                                  (StreamHandle stream, EventHandle event, unsigned flags))                  \
                                  entry(capture_begin, "cuStreamBeginCapture_v2",                            \
                                        (StreamHandle stream,                                                \
                                         unsigned mode)) entry(capture_end, "cuStreamEndCapture",            \
                                                               (StreamHandle stream, GraphHandle * graph))   \
                                      entry(event_create, "cuEventCreate",                                   \
                                            (EventHandle * event,                                            \
                                             unsigned                                                        \
                                                 flags)) entry(event_destroy, "cuEventDestroy_v2",           \
                                                               (EventHandle event))                          \
                                          entry(event_record, "cuEventRecord",                               \
                                                (EventHandle event, StreamHandle stream))                    \
                                              entry(event_query, "cuEventQuery", (EventHandle event)) entry( \
                                                  event_synchronize, "cuEventSynchronize",                   \
                                                  (EventHandle event))                                       \
                                                  entry(graph_instantiate, "cuGraphInstantiateWithFlags",    \
                                                        (GraphExecutable * executable, GraphHandle graph,    \
                                                         unsigned long long flags))                          \
                                                      entry(graph_launch, "cuGraphLaunch",                   \
                                                            (GraphExecutable executable,                     \
                                                             StreamHandle stream))                           \
                                                          entry(graph_executable_destroy,                    \
                                                                "cuGraphExecDestroy",                        \
                                                                (GraphExecutable executable))                \
                                                              entry(graph_destroy, "cuGraphDestroy",         \
                                                                    (GraphHandle graph))                     \
                                                                  entry(                                     \
                                                                      module_load, "cuModuleLoadData",       \
                                                                      (Module * module, const void *image))  \
                                                                      entry(module_unload, "cuModuleUnload", \
                                                                            (Module module))                 \
                                                                          entry(module_function,             \
                                                                                "cuModuleGetFunction",       \
                                                                                (Function * function,        \
                                                                                 Module module,              \
                                                                                 const char *name))          \
                                                                              entry(function_set,            \
                                                                                    "cuFuncSetAttribute",    \
                                                                                    (Function function,      \
                                                                                     int attribute,          \
                                                                                     int value))             \
                                                                                  entry(                     \
                                                                                      launch,                \
                                                                                      "cuLaunchKernel",      \
                                                                                      (Function function,    \
                                                                                       unsigned grid_x,      \
                                                                                       unsigned grid_y,      \
                                                                                       unsigned grid_z,      \
                                                                                       unsigned block_x,     \
                                                                                       unsigned block_y,     \
                                                                                       unsigned block_z,     \
                                                                                       unsigned              \
                                                                                           shared_bytes,     \
                                                                                       StreamHandle stream,  \
                                                                                       void **parameters,    \
                                                                                       void **extra))
#define POSED_CUDA_ENTRY(name, symbol, arguments) Result(*name) arguments = nullptr;
  POSED_CUDA_DRIVER(POSED_CUDA_ENTRY)
#undef POSED_CUDA_ENTRY

  /// "CUDA_ERROR_OUT_OF_MEMORY"
  std::string name_of(Result result) const;
  /// The ABI's status for a result that is not success.
  static posed_status status_of(Result result);
  /// Throws a Failure unless `result` is success. `what`: "allocating 12 bytes".
  void require(Result result, const char *what) const;
};

} // namespace posed::cuda
