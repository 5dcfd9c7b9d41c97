// libcuda: devices, contexts and memory.
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "StandIn.h"

using namespace standin;

#define ENTER(name, ...)                                                                                     \
  std::lock_guard lock(world().mutex);                                                                       \
  if (Result entered = enter(name __VA_OPT__(, ) __VA_ARGS__); entered != success) return entered

namespace {

int devices() { return int(number_setting("POSED_STANDIN_DEVICES", 1)); }

Result attribute(int which, int &value) {
  const int capability = int(number_setting("POSED_STANDIN_CAPABILITY", 90));
  switch (which) {
  case 16: // multiprocessors; few, so that small problems fill them
    value = 4;
    return success;
  case 75:
    value = capability / 10;
    return success;
  case 76:
    value = capability % 10;
    return success;
  case 97: // shared memory of a block
    value = most_shared_bytes();
    return success;
  default:
    return invalid_value;
  }
}

} // namespace

STANDIN_EXPORT Result cuInit(unsigned flags) {
  ENTER("cuInit", false);
  if (devices() == 0) return no_device;
  return flags == 0 ? success : invalid_value;
}

STANDIN_EXPORT Result cuDriverGetVersion(int *version) {
  *version = int(number_setting("POSED_STANDIN_VERSION", 13)) * 1000 + 20;
  return success;
}

STANDIN_EXPORT Result cuGetErrorName(Result error, const char **name) {
  switch (error) {
  case out_of_memory:
    *name = "CUDA_ERROR_OUT_OF_MEMORY";
    return success;
  case invalid_context:
    *name = "CUDA_ERROR_INVALID_CONTEXT";
    return success;
  case 700:
    *name = "CUDA_ERROR_ILLEGAL_ADDRESS";
    return success;
  case 716:
    *name = "CUDA_ERROR_MISALIGNED_ADDRESS";
    return success;
  case 719:
    *name = "CUDA_ERROR_LAUNCH_FAILED";
    return success;
  default:
    return invalid_value;
  }
}

STANDIN_EXPORT Result cuDeviceGetCount(int *count) {
  ENTER("cuDeviceGetCount", false);
  *count = devices();
  return success;
}

STANDIN_EXPORT Result cuDeviceGet(int *device, int ordinal) {
  ENTER("cuDeviceGet", false);
  if (ordinal < 0 || ordinal >= devices()) return invalid_value;
  *device = first_device + ordinal;
  return success;
}

STANDIN_EXPORT Result cuDeviceGetName(char *name, int length, int device) {
  ENTER("cuDeviceGetName", false);
  std::snprintf(name, size_t(length), "Emulated GPU %d", device - first_device);
  return success;
}

STANDIN_EXPORT Result cuDeviceGetAttribute(int *value, int which, int) {
  ENTER("cuDeviceGetAttribute", false);
  return attribute(which, *value);
}

STANDIN_EXPORT Result cuDeviceTotalMem_v2(size_t *bytes, int) {
  ENTER("cuDeviceTotalMem_v2", false);
  *bytes = number_setting("POSED_STANDIN_MEMORY", uint64_t(4) << 30);
  return success;
}

STANDIN_EXPORT Result cuDevicePrimaryCtxRetain(Context **context, int device) {
  std::lock_guard lock(world().mutex);
  Context &own = world().contexts[device];
  Context *outer = current();
  current() = nullptr; // what another context has lost is no matter here
  Result entered = enter("cuDevicePrimaryCtxRetain", false);
  current() = outer;
  if (entered != success) return entered;
  own.device = device;
  ++own.users;
  *context = &own;
  return success;
}

STANDIN_EXPORT Result cuDevicePrimaryCtxRelease_v2(int device) {
  std::lock_guard lock(world().mutex);
  Context &own = world().contexts[device];
  if (own.users == 0) return invalid_context;
  if (--own.users == 0) forget(own);
  return success;
}

STANDIN_EXPORT Result cuCtxSetCurrent(Context *context) {
  std::lock_guard lock(world().mutex);
  current() = context;
  return success;
}

STANDIN_EXPORT Result cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
  ENTER("cuMemAlloc_v2");
  Context &context = *current();
  if (bytes == 0) return invalid_value;
  if (bytes > number_setting("POSED_STANDIN_MEMORY", uint64_t(4) << 30) - context.used) return out_of_memory;
  constexpr size_t page = 4096, unit = 256;
  const size_t room = (bytes + unit - 1) / unit * unit, mapped = (room + page - 1) / page * page + 2 * page;
  void *mapping = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return out_of_memory;
  auto *first = static_cast<unsigned char *>(mapping) + page;
  mprotect(first, mapped - 2 * page, PROT_READ | PROT_WRITE);
  unsigned char *data = first + (mapped - 2 * page) - room; // its end is the end of the pages
  std::memset(data, 0xff, room);
  *address = reinterpret_cast<uintptr_t>(data);
  context.memory[*address] = {mapping, mapped, bytes};
  context.used += bytes;
  return success;
}

STANDIN_EXPORT Result cuMemFree_v2(unsigned long long address) {
  ENTER("cuMemFree_v2");
  Context &context = *current();
  auto found = context.memory.find(address);
  if (found == context.memory.end()) return invalid_value;
  drain_all(context); // the driver waits, too
  munmap(found->second.mapping, found->second.mapped);
  context.used -= found->second.bytes;
  context.memory.erase(found);
  return success;
}

STANDIN_EXPORT Result cuMemHostAlloc(void **address, size_t bytes, unsigned) {
  ENTER("cuMemHostAlloc");
  *address = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (*address == nullptr) return out_of_memory;
  ++current()->pinned;
  return success;
}

STANDIN_EXPORT Result cuMemFreeHost(void *address) {
  ENTER("cuMemFreeHost");
  drain_all(*current());
  std::free(address);
  --current()->pinned;
  return success;
}
