#include <sched.h>

#include <cstring>

#include "Backoff.h"
#include "posed_host/pool.h"

namespace posed {

void Program::append(OperationPointer operation) {
  for (size_t phase = 0; phase < operation->tasks.size(); ++phase) {
    steps_.push_back({operation.get(), static_cast<int>(phase), operation->tasks[phase]});
  }
  if (operation->scratch > scratch_) scratch_ = operation->scratch;
  if (operation->shared > shared_) shared_ = operation->shared;
  operations_.push_back(std::move(operation));
}

void Program::clear() {
  operations_.clear();
  steps_.clear();
  scratch_ = shared_ = 0;
}

void Program::allocate() {
  size_t counters = steps_.size() * static_cast<size_t>(workers_);
  if (claimed_.size() < counters) claimed_ = std::vector<std::atomic<int32_t>>(counters);
  if (done_.size() < steps_.size()) done_ = std::vector<std::atomic<int32_t>>(steps_.size());
}

void Program::rewind() {
  for (size_t step = 0; step < steps_.size(); ++step) {
    for (int worker = 0; worker < workers_; ++worker) {
      auto first = static_cast<int32_t>(piece(steps_[step].tasks, worker, workers_).first);
      claimed_[step * workers_ + worker].store(first, std::memory_order_relaxed);
    }
    done_[step].store(0, std::memory_order_relaxed);
  }
  failed_.store(false, std::memory_order_relaxed);
  status_ = POSED_OK;
}

void Program::attempt(const Step &step, int task, Worker &worker) noexcept {
  posed_error error;
  posed_status status = guard(&error, [&] { step.operation->run(step.phase, task, worker); });
  if (status == POSED_OK || failed_.exchange(true, std::memory_order_relaxed)) return;
  status_ = status;
  std::memcpy(&error_, &error, sizeof error);
}

void Program::work(Worker &worker) {
  for (size_t number = 0; number < steps_.size(); ++number) {
    const Step &step = steps_[number];
    std::atomic<int32_t> *claimed = &claimed_[number * workers_];
    int32_t finished = 0;
    for (int offset = 0; offset < workers_; ++offset) {
      int share = worker.index + offset;
      if (share >= workers_) share -= workers_;
      auto end = static_cast<int32_t>(piece(step.tasks, share, workers_).last);
      while (claimed[share].load(std::memory_order_relaxed) < end) {
        int32_t task = claimed[share].fetch_add(1, std::memory_order_relaxed);
        if (task >= end) break;
        attempt(step, task, worker);
        ++finished;
      }
    }
    if (finished > 0) done_[number].fetch_add(finished, std::memory_order_release);
    Backoff backoff;
    while (done_[number].load(std::memory_order_acquire) < step.tasks) backoff.wait();
  }
}

} // namespace posed
