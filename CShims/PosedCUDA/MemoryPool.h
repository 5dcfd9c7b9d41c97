// Device memory: counted against a limit, kept for the next caller when it is given back, and given to
// nobody before the work that may still use it is done.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "Driver.h"
#include "posed_plugin/account.h"

namespace posed::cuda {

/// A piece of device memory.
struct Block {
  Address address = 0;
  uint64_t bytes = 0; // what was asked for, in whole units
  uint64_t room = 0;  // what the driver gave
};

/// The streams whose work may use the memory of a device.
class Streams {
public:
  explicit Streams(const Driver &driver) : driver_(driver) {}
  void add(StreamHandle stream);
  void remove(StreamHandle stream);
  /// Events behind all work that the streams have now. Throws what the driver reports.
  std::vector<EventHandle> mark();
  /// Gives events back for the next mark.
  void reuse(const std::vector<EventHandle> &events);
  /// Destroys the events that are not in use.
  void close();

private:
  const Driver &driver_;
  std::mutex mutex_;
  std::vector<StreamHandle> streams_;
  std::vector<EventHandle> spare_;
};

/// Safe from any thread, with the device's context current.
class MemoryPool {
public:
  /// `limit`: bytes, what is kept for reuse among them; 0 sets none.
  MemoryPool(const Driver &driver, Streams &streams, uint64_t limit)
      : driver_(driver), streams_(streams), account_(limit) {}

  /// 512-byte aligned. Throws a Failure with POSED_OUT_OF_MEMORY.
  Block take(uint64_t bytes);
  /// Work under way may still use it.
  void give_back(const Block &block) noexcept;
  /// Returns what nobody holds to the driver, after the work that may still use it.
  void release();
  /// Result of a call of the driver, made once more after `release` where there is no memory for it.
  template <class Call> Result with_room(const Call &call) {
    const Result result = call();
    if (result != error_out_of_memory) return result;
    release();
    return call();
  }
  /// Bytes; 0 for none.
  uint64_t limit() const { return account_.limit(); }
  /// Bytes that callers hold.
  uint64_t used() const { return account_.used(); }
  /// Gives everything that nobody holds back to the driver, whatever is still under way.
  void close() noexcept;

private:
  struct Resting {
    Block block;
    std::vector<EventHandle> events; // behind the work that may still use it
  };

  bool rested(Resting &resting);
  void collect(bool wait);
  void trim(uint64_t wanted);
  void drop_free();
  bool reuse(uint64_t bytes, Block &block);
  Result allocate(uint64_t bytes, Block &block);

  const Driver &driver_;
  Streams &streams_;
  Account account_;
  std::mutex mutex_;
  std::multimap<uint64_t, Block> free_; // by room
  std::vector<Resting> resting_;
  uint64_t reserved_ = 0; // what the driver has given in all
};

} // namespace posed::cuda
