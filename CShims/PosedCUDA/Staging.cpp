#include "Staging.h"

#include <algorithm>
#include <cstring>

namespace posed::cuda {

Staging::~Staging() {
  for (Slot &slot : slots_) {
    if (slot.event != nullptr) driver_.event_destroy(slot.event);
    if (slot.memory != nullptr) driver_.host_free(slot.memory);
  }
}

/// The current slot, or the next one where that is full and the device has fetched the next one's contents.
Staging::Slot &Staging::room() {
  if (slots_[current_].filled == slot_bytes) {
    current_ = (current_ + 1) % slots_.size();
    Slot &next = slots_[current_];
    if (next.event != nullptr)
      driver_.require(driver_.event_synchronize(next.event), "waiting for an upload");
    next.filled = 0;
  }
  Slot &slot = slots_[current_];
  if (slot.memory == nullptr) {
    void *memory = nullptr;
    driver_.require(driver_.host_allocate(&memory, slot_bytes, 0), "allocating pinned memory");
    slot.memory = static_cast<std::byte *>(memory);
  }
  if (slot.event == nullptr) {
    driver_.require(driver_.event_create(&slot.event, event_without_timing), "making an event");
  }
  return slot;
}

void Staging::upload(Address to, const void *from, uint64_t bytes) {
  auto *source = static_cast<const std::byte *>(from);
  while (bytes > 0) {
    Slot &slot = room();
    const uint64_t part = std::min(bytes, slot_bytes - slot.filled);
    std::memcpy(slot.memory + slot.filled, source, part);
    driver_.require(driver_.copy_in(to, slot.memory + slot.filled, part, stream_), "an upload");
    // Copies start at whole cache lines; a slot's last bytes may stay unused.
    slot.filled = std::min(slot_bytes, (slot.filled + part + 63) / 64 * 64);
    driver_.require(driver_.event_record(slot.event, stream_), "recording an event");
    to += part;
    source += part;
    bytes -= part;
  }
}

} // namespace posed::cuda
