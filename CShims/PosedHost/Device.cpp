#include "posed_host/device.h"

posed_device::posed_device(std::unique_ptr<posed::Kernels> mathematics, int threads, uint64_t limit,
                           const char *name)
    : account(std::make_shared<posed::Account>(limit)), kernels(std::move(mathematics)),
      pool(threads, std::string("posed-") + name, account) {}

void posed_stream::submit(posed::OperationPointer operation) {
  switch (state) {
  case State::running: {
    struct Emptied { // also when the operation fails: what it holds is given back now
      posed::Program &program;
      ~Emptied() { program.clear(); }
    } emptied{immediate};
    immediate.append(std::move(operation));
    device->pool.admit(immediate);
    device->pool.run(immediate);
    return;
  }
  case State::recording:
    recorded->append(std::move(operation));
    return;
  case State::failed:
    posed::fail(POSED_INVALID_ARGUMENT,
                "The recording has ended with an earlier failure: end the capture first.");
  }
}

void posed_stream::require_running(const char *call) const {
  if (state == State::running) return;
  posed::fail(POSED_INVALID_ARGUMENT, "%s is not allowed while a stream is recorded.", call);
}

void posed_stream::note_failure(posed_status status, const posed_error &error) {
  if (state != State::recording) return;
  state = State::failed;
  failure = status;
  failure_error = error;
}
