// Pinned memory between the host's and the device's: the host's memory may be reused as soon as a copy into
// it is done, while the device fetches it when its stream comes to it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "Driver.h"

namespace posed::cuda {

/// Of one stream, used by one thread at a time with the device's context current.
class Staging {
public:
  Staging(const Driver &driver, StreamHandle stream) : driver_(driver), stream_(stream) {}
  ~Staging();
  Staging(const Staging &) = delete;
  Staging &operator=(const Staging &) = delete;

  /// Puts a copy to the device on the stream; `from` may be reused on return.
  void upload(Address to, const void *from, uint64_t bytes);

private:
  struct Slot {
    std::byte *memory = nullptr;
    EventHandle event = nullptr;
    uint64_t filled = 0;
  };
  static constexpr uint64_t slot_bytes = 1 << 20;

  Slot &room();

  const Driver &driver_;
  const StreamHandle stream_;
  std::array<Slot, 2> slots_;
  size_t current_ = 0;
};

} // namespace posed::cuda
