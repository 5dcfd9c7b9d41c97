// A lock that callers get in the order in which they asked for it.
#pragma once

#include <atomic>
#include <cstdint>

namespace posed {

/// Mutual exclusion, first come, first served: a stream that launches again and again leaves the others
/// their turn. A lock for std::lock_guard.
class TicketLock {
public:
  void lock() {
    const uint32_t mine = last_.fetch_add(1, std::memory_order_relaxed);
    for (uint32_t now = serving_.load(std::memory_order_acquire); now != mine;
         now = serving_.load(std::memory_order_acquire)) {
      serving_.wait(now, std::memory_order_acquire);
    }
  }

  void unlock() {
    serving_.fetch_add(1, std::memory_order_release);
    serving_.notify_all(); // costs nothing where nobody sleeps
  }

private:
  std::atomic<uint32_t> last_{0};    // the next ticket to hand out
  std::atomic<uint32_t> serving_{0}; // the ticket whose turn it is
};

} // namespace posed
