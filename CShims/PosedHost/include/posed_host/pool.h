// The one set of threads of a device. A program, one operation or a captured list of them, is run in
// a single dispatch: workers go through its steps together, each claiming tasks from its own share of
// a step first and then from the others', and go on when the step's tasks are all done. A worker that
// the system keeps away delays nobody who has not seen it join.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "posed_host/memory.h"
#include "posed_host/operation.h"
#include "posed_host/ticket_lock.h"
#include "posed_plugin/status.h"

namespace posed {

/// Operations in order, ready to be run again and again without an allocation.
class Program {
public:
  explicit Program(int workers) : workers_(workers) {}
  /// Takes ownership. Not after the first run.
  void append(OperationPointer operation);
  size_t scratch() const { return scratch_; }
  size_t shared() const { return shared_; }
  size_t size() const { return operations_.size(); }
  /// Drops the operations, keeps the storage.
  void clear();

private:
  friend class Pool;
  struct Step {
    Operation *operation;
    int phase, tasks;
  };

  void allocate();
  void rewind();
  void work(Worker &worker);
  void attempt(const Step &step, int task, Worker &worker) noexcept;

  const int workers_;
  std::vector<OperationPointer> operations_;
  std::vector<Step> steps_;
  size_t scratch_ = 0, shared_ = 0;
  std::vector<std::atomic<int32_t>> claimed_; // [steps][workers]
  std::vector<std::atomic<int32_t>> done_;    // [steps]
  std::atomic<bool> failed_{false};
  posed_status status_ = POSED_OK;
  posed_error error_ = {};
};

/// How many threads this process may run at once: the affinity mask, cut to the control group's quota.
int usable_threads();

class Pool {
public:
  Pool(int threads, std::string name, std::shared_ptr<Account> account);
  ~Pool();

  int threads() const { return threads_; }
  /// Gives a complete program all it needs to run: counters and scratch. Waits for a running one.
  void admit(Program &program);
  /// Runs a program; returns when it is done. Throws the first Failure of its tasks. Callers on
  /// several threads take turns.
  void run(Program &program);
  /// Returns when no program runs: what one may still use can then be freed.
  void settle() { std::lock_guard<TicketLock> lock(order_); }

private:
  void live(int index);
  bool join();
  void leave() { gate_.fetch_sub(1, std::memory_order_release); }
  void publish(Program &program);
  void finish();
  void stop();

  const int threads_;
  const std::string name_;
  const std::shared_ptr<Account> account_;
  int64_t spin_nanoseconds_;
  TicketLock order_;            // held by the caller whose program runs, or who changes the scratch
  std::vector<Memory> scratch_; // of each worker
  Memory shared_;               // of the operation that runs
  std::vector<std::thread> crew_;
  Program *program_ = nullptr;
  alignas(64) std::atomic<uint32_t> generation_{0}; // counts dispatches; sleepers wait on it
  alignas(64) std::atomic<uint32_t> gate_{0};       // top bit: open; the rest: workers inside
  std::atomic<bool> stopping_{false};
};

} // namespace posed
