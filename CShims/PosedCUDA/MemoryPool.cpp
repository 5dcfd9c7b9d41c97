#include "MemoryPool.h"

#include <algorithm>

namespace posed::cuda {
namespace {

constexpr uint64_t unit = 512;
constexpr uint64_t largest = uint64_t(1) << 46; // more than any device has

} // namespace

// ---- streams ----

void Streams::add(StreamHandle stream) {
  std::lock_guard lock(mutex_);
  streams_.push_back(stream);
}

void Streams::remove(StreamHandle stream) {
  std::lock_guard lock(mutex_);
  std::erase(streams_, stream);
}

std::vector<EventHandle> Streams::mark() {
  std::lock_guard lock(mutex_);
  std::vector<EventHandle> events;
  events.reserve(streams_.size());
  spare_.reserve(spare_.size() + streams_.size()); // so that a failure can put all of them there
  try {
    for (StreamHandle stream : streams_) {
      EventHandle event = nullptr;
      if (spare_.empty()) {
        driver_.require(driver_.event_create(&event, event_without_timing), "making an event");
      } else {
        event = spare_.back();
        spare_.pop_back();
      }
      events.push_back(event);
      driver_.require(driver_.event_record(event, stream), "recording an event");
    }
  } catch (...) {
    spare_.insert(spare_.end(), events.begin(), events.end());
    throw;
  }
  return events;
}

void Streams::reuse(const std::vector<EventHandle> &events) {
  std::lock_guard lock(mutex_);
  spare_.insert(spare_.end(), events.begin(), events.end());
}

void Streams::close() {
  std::lock_guard lock(mutex_);
  for (EventHandle event : spare_) driver_.event_destroy(event);
  spare_.clear();
}

// ---- memory ----

Block MemoryPool::take(uint64_t bytes) {
  uint64_t wanted = bytes > largest ? bytes : std::max(unit, (bytes + unit - 1) / unit * unit);
  account_.take(wanted);
  std::lock_guard lock(mutex_);
  try {
    Block block;
    collect(false);
    if (reuse(wanted, block)) return block;
    Result result = error_out_of_memory;
    for (bool wait : {false, true}) { // first without waiting for work under way, then after all of it
      collect(wait);
      if (wait && reuse(wanted, block)) return block;
      trim(wanted);
      bool fits = account_.limit() == 0 || reserved_ + wanted <= account_.limit();
      if (!fits && !wait) continue;
      result = wanted > largest ? error_out_of_memory : allocate(wanted, block);
      if (result == success) return block;
      if (result != error_out_of_memory) break;
    }
    if (result == error_out_of_memory) {
      fail(POSED_OUT_OF_MEMORY, "The device has no room for %llu bytes more.",
           static_cast<unsigned long long>(bytes));
    }
    driver_.require(result, "allocating memory");
    return block;
  } catch (...) {
    account_.give_back(wanted);
    throw;
  }
}

Result MemoryPool::allocate(uint64_t bytes, Block &block) {
  Result result = driver_.allocate(&block.address, bytes);
  if (result == error_out_of_memory && !free_.empty()) {
    drop_free();
    result = driver_.allocate(&block.address, bytes);
  }
  if (result != success) return result;
  block.bytes = block.room = bytes;
  reserved_ += bytes;
  return success;
}

void MemoryPool::drop_free() {
  for (const auto &[room, kept] : free_) {
    driver_.free(kept.address);
    reserved_ -= room;
  }
  free_.clear();
}

void MemoryPool::release() {
  std::lock_guard lock(mutex_);
  collect(true);
  drop_free();
}

/// A kept block that is not much too large.
bool MemoryPool::reuse(uint64_t bytes, Block &block) {
  auto found = free_.lower_bound(bytes);
  if (found == free_.end() || found->first > bytes + bytes / 8) return false;
  block = found->second;
  block.bytes = bytes;
  free_.erase(found);
  return true;
}

/// Returns kept blocks to the driver until `wanted` bytes more are within the limit.
void MemoryPool::trim(uint64_t wanted) {
  while (account_.limit() != 0 && reserved_ + wanted > account_.limit() && !free_.empty()) {
    auto last = std::prev(free_.end());
    driver_.free(last->second.address);
    reserved_ -= last->first;
    free_.erase(last);
  }
}

bool MemoryPool::rested(Resting &resting) {
  while (!resting.events.empty()) {
    Result result = driver_.event_query(resting.events.back());
    if (result == error_not_ready) return false;
    driver_.require(result, "asking an event");
    streams_.reuse({resting.events.back()});
    resting.events.pop_back();
  }
  return true;
}

/// Moves what has come to rest to the free blocks, one by one, so that a failure leaves each in one place.
void MemoryPool::collect(bool wait) {
  for (size_t i = 0; i < resting_.size();) {
    Resting &resting = resting_[i];
    if (wait) {
      for (EventHandle event : resting.events) {
        driver_.require(driver_.event_synchronize(event), "waiting for an event");
      }
    }
    if (!rested(resting)) {
      ++i;
      continue;
    }
    free_.emplace(resting.block.room, resting.block);
    if (i + 1 < resting_.size()) resting = std::move(resting_.back());
    resting_.pop_back();
  }
}

void MemoryPool::give_back(const Block &block) noexcept {
  if (block.room == 0) return;
  account_.give_back(block.bytes);
  std::lock_guard lock(mutex_);
  const size_t before = resting_.size();
  try {
    resting_.push_back({block, {}});
    resting_.back().events = streams_.mark();
  } catch (...) {
    // The device is lost, or the host has no memory: what cannot be marked goes back to the driver, which
    // waits for the work that may use it.
    resting_.resize(before);
    driver_.free(block.address);
    reserved_ -= block.room;
  }
}

void MemoryPool::close() noexcept {
  std::lock_guard lock(mutex_);
  for (const Resting &resting : resting_) {
    for (EventHandle event : resting.events) driver_.event_destroy(event);
    driver_.free(resting.block.address);
  }
  for (const auto &[room, block] : free_) driver_.free(block.address);
  resting_.clear();
  free_.clear();
  reserved_ = 0;
}

} // namespace posed::cuda
