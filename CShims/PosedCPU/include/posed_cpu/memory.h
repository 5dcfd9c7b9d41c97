// Memory of a CPU device: ordinary host memory, counted against the device's limit.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace posed {

/// Counts bytes in use and refuses to pass a limit. Safe from any thread.
class Account {
public:
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
