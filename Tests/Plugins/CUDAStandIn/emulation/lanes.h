// A block of threads on one processor: every thread of the block is a lane with a stack of its own, and
// lanes take turns where they wait for each other. Part of every emulated kernel's library.
#pragma once

// Headers of C alone: this is compiled once for every kernel that a test uses.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

namespace posed_emulation {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
};

/// What goes wrong inside a kernel, in the driver's numbers.
enum : int { well = 0, misaligned_address = 716, launch_failed = 719 };

/// A copy that has been started and may not be seen before it is waited for.
struct PendingCopy {
  void *to;
  const void *from; // null: zeros
  int group;
};

constexpr unsigned most_lanes = 1024;
constexpr int most_copies = 96; // of a lane, under way at once
constexpr size_t stack_bytes = 64 * 1024;

struct Lane {
  void *stack_pointer = nullptr;
  Dim3 thread;
  const unsigned *awaited = nullptr; // runnable once *awaited differs from `seen`
  unsigned seen = 0;
  bool done = true;
  int groups = 0; // of copies, committed so far
  int copy_count = 0;
  PendingCopy copies[most_copies];
};

/// What the lanes of a warp exchange. Two slots: a lane may be one exchange ahead of another.
struct Exchange {
  alignas(16) unsigned in[32][12];
  alignas(16) unsigned out[32][4];
  const void *address[32];
};
struct Warp {
  unsigned generation = 0, arrived = 0;
  Exchange slots[2];
};

/// A launch in progress. One at a time in a thread of the host.
struct Block {
  Dim3 grid, block, index;
  unsigned lanes = 0, alive = 0, current = 0, arrived = 0, generation = 0;
  int step = 1; // −1: the last lane first, and copies and products at once
  int error = well;
  Lane *lane = nullptr;
  Warp warp[most_lanes / 32];
  unsigned char *shared = nullptr; // 1024-byte aligned
  void (*kernel)(const void *) = nullptr;
  const void *parameters = nullptr;
  void *host_stack = nullptr;
  unsigned char *stacks = nullptr;
};

inline thread_local Block *running = nullptr;

inline Lane &self() { return running->lane[running->current]; }

/// Whether what is asynchronous happens as soon as it may, not as late as it may.
inline bool at_once() { return running->step < 0; }

/// Saves the registers that a call keeps, and goes on at another stack.
extern "C" void posed_emulation_switch(void **save, void *load);
#if defined(__x86_64__)
asm(R"(
.text
.local posed_emulation_switch
.type posed_emulation_switch, @function
posed_emulation_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");
#else
#error "The emulation has no switch of stacks for this processor."
#endif

/// Ends the launch: the lanes' stacks are simply left.
[[noreturn]] inline void fail(int error, const char *why) {
  if (running->error == well) {
    running->error = error;
    fprintf(stderr, "emulated kernel: %s, block (%u, %u, %u), thread %u\n", why, running->index.x,
            running->index.y, running->index.z, running->current);
  }
  void *unused;
  posed_emulation_switch(&unused, running->host_stack);
  __builtin_unreachable();
}

inline bool can_run(const Lane &lane) {
  return !lane.done && (lane.awaited == nullptr || *lane.awaited != lane.seen);
}

/// The next lane that can run, or −1. Those of the same warp come first: a warp gets as far ahead of the
/// others as barriers let it, so that it writes what they have yet to read if a barrier is missing.
inline int next_lane() {
  Block &b = *running;
  const unsigned own = b.current / 32, warps = b.lanes / 32;
  for (unsigned i = 0; i < warps; ++i) {
    const unsigned warp = (own + (b.step > 0 ? i : warps - i)) % warps;
    const unsigned from = i == 0 ? b.current % 32 : b.step > 0 ? 31 : 0;
    for (unsigned j = 1; j <= 32; ++j) {
      const unsigned lane = warp * 32 + (from + (b.step > 0 ? j : 32 - j)) % 32;
      if (can_run(b.lane[lane])) return int(lane);
    }
  }
  return -1;
}

inline void switch_to(unsigned lane, void **save) {
  running->current = lane;
  running->lane[lane].awaited = nullptr;
  posed_emulation_switch(save, running->lane[lane].stack_pointer);
}

/// Lets others run until `*counter` is no longer `seen`.
inline void wait_while(const unsigned *counter, unsigned seen) {
  Lane &own = self();
  own.awaited = counter;
  own.seen = seen;
  int lane = next_lane();
  if (lane < 0) fail(launch_failed, "its threads wait for each other for ever");
  switch_to(unsigned(lane), &own.stack_pointer);
}

/// The barrier of a block.
inline void barrier() {
  Block &b = *running;
  unsigned generation = b.generation;
  if (++b.arrived == b.alive) {
    b.arrived = 0;
    ++b.generation;
  } else {
    wait_while(&b.generation, generation);
  }
}

/// Meets the other lanes of the warp: `put` before, `all` once when the last has come, `get` after.
template <class Put, class All, class Get> inline void meet(Put &&put, All &&all, Get &&get) {
  Block &b = *running;
  Warp &warp = b.warp[b.current / 32];
  unsigned generation = warp.generation, lane = b.current % 32;
  Exchange &slot = warp.slots[generation % 2];
  put(slot, lane);
  if (++warp.arrived == 32) {
    all(slot);
    warp.arrived = 0;
    ++warp.generation;
  } else {
    wait_while(&warp.generation, generation);
  }
  get(slot, lane);
}

inline void require_aligned(const void *address, size_t bytes) {
  if (reinterpret_cast<uintptr_t>(address) % bytes != 0) fail(misaligned_address, "an address is misaligned");
}

/// A lane's life.
inline void live() {
  running->kernel(running->parameters);
  Block &b = *running;
  Lane &own = self();
  own.done = true;
  if (--b.alive > 0 && b.arrived == b.alive) { // the others need not wait for this one
    b.arrived = 0;
    ++b.generation;
  }
  void *unused;
  if (b.alive == 0) posed_emulation_switch(&unused, b.host_stack);
  int lane = next_lane();
  if (lane < 0) fail(launch_failed, "its threads wait for each other for ever");
  switch_to(unsigned(lane), &unused);
  __builtin_unreachable();
}

inline void start_lane(Block &b, unsigned i) {
  Lane &lane = b.lane[i];
  lane.thread = {i % b.block.x, i / b.block.x % b.block.y, i / b.block.x / b.block.y};
  lane.awaited = nullptr;
  lane.done = false;
  lane.groups = 0;
  lane.copy_count = 0;
  auto *top = reinterpret_cast<void **>(b.stacks + (i + 1) * stack_bytes);
  *--top = nullptr; // where `live` would return to; keeps the stack aligned
  *--top = reinterpret_cast<void *>(&live);
  for (int i = 0; i < 6; ++i) *--top = nullptr; // the registers
  lane.stack_pointer = top;
}

constexpr size_t most_shared = 256 * 1024;

/// The memory that all launches of a thread of the host use.
inline bool allocate(Block &b) {
  if (b.lane != nullptr) return true;
  const size_t bytes = most_lanes * (stack_bytes + sizeof(Lane)) + most_shared;
  void *memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  b.stacks = static_cast<unsigned char *>(memory);
  b.shared = b.stacks + most_lanes * stack_bytes;
  b.lane = reinterpret_cast<Lane *>(b.shared + most_shared);
  return true;
}

/// Runs a whole grid, block after block. Returns 0 or the driver's number of the error.
inline int launch(void (*kernel)(const void *), const void *parameters, Dim3 grid, Dim3 block,
                  size_t shared_bytes, bool backwards) {
  static thread_local Block b;
  b.grid = grid;
  b.block = block;
  b.lanes = block.x * block.y * block.z;
  b.step = backwards ? -1 : 1;
  b.error = well;
  b.kernel = kernel;
  b.parameters = parameters;
  if (b.lanes == 0 || b.lanes > most_lanes || b.lanes % 32 != 0) return launch_failed;
  if (shared_bytes > most_shared || !allocate(b)) return launch_failed;
  running = &b;
  for (b.index.z = 0; b.index.z < grid.z && b.error == well; ++b.index.z) {
    for (b.index.y = 0; b.index.y < grid.y && b.error == well; ++b.index.y) {
      for (b.index.x = 0; b.index.x < grid.x && b.error == well; ++b.index.x) {
        memset(b.shared, 0xff, shared_bytes); // NaN, whatever type is read
        for (Warp &warp : b.warp) warp.generation = warp.arrived = 0;
        b.arrived = b.generation = 0;
        b.alive = b.lanes;
        for (unsigned i = 0; i < b.lanes; ++i) start_lane(b, i);
        switch_to(backwards ? b.lanes - 1 : 0, &b.host_stack);
      }
    }
  }
  running = nullptr;
  return b.error;
}

} // namespace posed_emulation
