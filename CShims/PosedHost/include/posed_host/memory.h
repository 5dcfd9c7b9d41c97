// Memory of a CPU device: ordinary host memory, counted against the device's limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "posed_plugin/account.h"

namespace posed {

/// A block of 64-byte aligned memory, freed and given back to its account on destruction. Large
/// blocks ask the system for huge pages. Contents start undefined.
class Memory {
public:
  Memory() = default;
  Memory(std::shared_ptr<Account> account, uint64_t bytes);
  ~Memory() { release(); }
  Memory(Memory &&other) noexcept { swap(other); }
  Memory &operator=(Memory &&other) noexcept {
    Memory taken(std::move(other));
    swap(taken);
    return *this;
  }

  void *data() const { return data_; }
  template <class T> T *as() const { return static_cast<T *>(data_); }
  uint64_t bytes() const { return bytes_; }

private:
  void release();
  void swap(Memory &other) noexcept {
    std::swap(account_, other.account_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  std::shared_ptr<Account> account_;
  void *data_ = nullptr;
  uint64_t bytes_ = 0;
};

} // namespace posed
