#include "posed_host/memory.h"

#include <sys/mman.h>

#include <cstdlib>

#include "posed_plugin/status.h"

namespace posed {

Memory::Memory(std::shared_ptr<Account> account, uint64_t bytes) {
  constexpr uint64_t huge = 2u << 20;
  constexpr uint64_t largest = uint64_t(1) << 46;
  uint64_t alignment = bytes >= huge ? huge : 64;
  uint64_t wanted = bytes > largest ? bytes : (bytes + 63) / 64 * 64;
  if (wanted == 0) wanted = 64;
  account->take(bytes);
  void *data = bytes > largest ? nullptr : std::aligned_alloc(alignment, wanted);
  if (data == nullptr) {
    account->give_back(bytes);
    fail(POSED_OUT_OF_MEMORY, "The host could not allocate %llu bytes.",
         static_cast<unsigned long long>(bytes));
  }
  if (bytes >= huge) madvise(data, wanted / huge * huge, MADV_HUGEPAGE);
  account_ = std::move(account);
  data_ = data;
  bytes_ = bytes;
}

void Memory::release() {
  if (account_ == nullptr) return;
  std::free(data_);
  account_->give_back(bytes_);
  account_ = nullptr;
  data_ = nullptr;
  bytes_ = 0;
}

} // namespace posed
