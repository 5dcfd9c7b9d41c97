#include "posed_plugin/account.h"

#include "posed_plugin/status.h"

namespace posed {

void Account::take(uint64_t bytes) {
  uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (limit_ != 0 && (bytes > limit_ || used > limit_ - bytes)) {
      fail(POSED_OUT_OF_MEMORY, "The device's limit of %llu bytes does not allow %llu more: %llu are in use.",
           static_cast<unsigned long long>(limit_), static_cast<unsigned long long>(bytes),
           static_cast<unsigned long long>(used));
    }
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
}

} // namespace posed
