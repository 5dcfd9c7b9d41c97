#include "Driver.h"

#include "Library.h"

namespace posed::cuda {
namespace {

Driver bind() {
  Library library = Library::find({"libcuda.so.1"});
  if (!library) fail(POSED_UNSUPPORTED, "There is no CUDA driver: libcuda.so.1 was not found.");
  Driver driver;
#define POSED_CUDA_ENTRY(name, symbol_name, arguments)                                                       \
  driver.name = reinterpret_cast<Result(*) arguments>(library.symbol(symbol_name));                          \
  if (driver.name == nullptr) {                                                                              \
    fail(POSED_UNSUPPORTED, "The CUDA driver is too old or incomplete: libcuda.so.1 has no %s.",             \
         symbol_name);                                                                                       \
  }
  POSED_CUDA_DRIVER(POSED_CUDA_ENTRY)
#undef POSED_CUDA_ENTRY
  Result result = driver.init(0);
  if (result == error_no_device) fail(POSED_UNSUPPORTED, "The CUDA driver finds no GPU.");
  if (result != success) {
    fail(POSED_UNSUPPORTED, "The CUDA driver does not start: %s.", driver.name_of(result).c_str());
  }
  driver.require(driver.driver_version(&driver.version), "asking for the driver's version");
  driver.require(driver.device_count(&driver.devices), "counting GPUs");
  if (driver.devices == 0) fail(POSED_UNSUPPORTED, "The CUDA driver finds no GPU.");
  return driver;
}

} // namespace

const Driver &Driver::shared() {
  static const Driver driver = bind(); // after a failure the next call tries again
  return driver;
}

std::string Driver::name_of(Result result) const {
  const char *name = nullptr;
  if (error_name(result, &name) == success && name != nullptr) return name;
  return "CUDA error " + std::to_string(result);
}

posed_status Driver::status_of(Result result) {
  switch (result) {
  case error_out_of_memory:
    return POSED_OUT_OF_MEMORY;
  case 4:   // the driver has shut down
  case 46:  // the device is gone or taken
  case 214: // uncorrectable memory error
  case 220: // likewise of NVLink
  case 226: // an error that the device contained
  case 700: // illegal address, and the other errors that a kernel leaves its context with
  case 702:
  case 709:
  case 710:
  case 714:
  case 715:
  case 716:
  case 717:
  case 718:
  case 719:
  case 721:
  case 810: // the server of shared contexts has ended this one
  case 911: // an external device failed
  case 999:
    return POSED_DEVICE_LOST;
  default:
    return POSED_INTERNAL;
  }
}

void Driver::require(Result result, const char *what) const {
  if (result != success) fail(status_of(result), "CUDA: %s failed with %s.", what, name_of(result).c_str());
}

} // namespace posed::cuda
