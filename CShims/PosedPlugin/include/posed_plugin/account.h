// Bytes in use on a device, and the limit on them.
#pragma once

#include <atomic>
#include <cstdint>

namespace posed {

/// Counts bytes in use and refuses to pass a limit. Safe from any thread.
class Account {
public:
  /// `limit`: bytes; 0 sets none.
  explicit Account(uint64_t limit) : limit_(limit) {}
  /// Throws a Failure with POSED_OUT_OF_MEMORY when the limit would be passed.
  void take(uint64_t bytes);
  void give_back(uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  uint64_t limit() const { return limit_; }

private:
  const uint64_t limit_;
  std::atomic<uint64_t> used_{0};
};

} // namespace posed
