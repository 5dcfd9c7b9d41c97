#include "posed_host/device.h"

posed_device::posed_device(std::unique_ptr<posed::Kernels> mathematics, int threads, uint64_t limit,
                           const char *name)
    : account(std::make_shared<posed::Account>(limit)), kernels(std::move(mathematics)),
      pool(threads, std::string("posed-") + name, account) {}

void posed_stream::submit(posed::OperationPointer operation) {
  if (auto *program = recorded()) return (*program)->append(std::move(operation));
  struct Emptied { // also when the operation fails: what it holds is given back now
    posed::Program &program;
    ~Emptied() { program.clear(); }
  } emptied{immediate};
  immediate.append(std::move(operation));
  device->pool.admit(immediate);
  device->pool.run(immediate);
}
