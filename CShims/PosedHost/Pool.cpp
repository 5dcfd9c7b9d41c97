#include "posed_host/pool.h"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <system_error>

#include "Backoff.h"

namespace posed {
namespace {

constexpr uint32_t open = 1u << 31;

/// How long a worker without work stays awake. A solve dispatches again within this time.
int64_t spin_time() {
  constexpr int64_t usual = 100;
  const char *text = std::getenv("POSED_SPIN_MICROSECONDS");
  if (text == nullptr || *text == 0) return usual * 1000;
  char *end = nullptr;
  long microseconds = std::strtol(text, &end, 10);
  bool sound = *end == 0 && microseconds >= 0 && microseconds <= 1000000;
  return (sound ? microseconds : usual) * 1000;
}

int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

} // namespace

Pool::Pool(int threads, std::string name, std::shared_ptr<Account> account)
    : threads_(threads), name_(std::move(name)), account_(std::move(account)), spin_nanoseconds_(spin_time()),
      scratch_(threads) {
  sigset_t others, before; // signals are the host's business: its own threads take them
  sigfillset(&others);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) sigdelset(&others, fault);
  pthread_sigmask(SIG_SETMASK, &others, &before);
  try {
    for (int index = 1; index < threads; ++index) {
      crew_.emplace_back([this, index] { live(index); });
    }
  } catch (const std::system_error &) {
    const int refused = static_cast<int>(crew_.size()) + 2;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    stop();
    fail(POSED_OUT_OF_MEMORY, "The system refused thread %d of the %d asked for.", refused, threads);
  } catch (...) { // a thread that is left to its destructor would end the process
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    stop();
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Pool::~Pool() { stop(); }

void Pool::stop() {
  stopping_.store(true);
  generation_.fetch_add(1);
  generation_.notify_all();
  for (std::thread &thread : crew_) thread.join();
  crew_.clear();
}

void Pool::admit(Program &program) {
  program.allocate();
  std::lock_guard<TicketLock> lock(order_);
  auto grow = [this](Memory &memory, size_t bytes) {
    if (memory.bytes() < bytes) memory = Memory(account_, (bytes + 4095) / 4096 * 4096);
  };
  for (Memory &memory : scratch_) grow(memory, program.scratch());
  grow(shared_, program.shared());
}

void Pool::live(int index) {
  std::string title = (name_ + "-" + std::to_string(index)).substr(0, 15);
  pthread_setname_np(pthread_self(), title.c_str());
  uint32_t seen = 0;
  while (true) {
    uint32_t current = generation_.load(std::memory_order_acquire);
    if (current == seen) {
      int64_t deadline = now() + spin_nanoseconds_;
      while (current == seen && now() < deadline) {
        for (int i = 0; i < 16 && current == seen; ++i) {
          pause_processor();
          current = generation_.load(std::memory_order_acquire);
        }
      }
      if (current == seen) generation_.wait(seen, std::memory_order_acquire);
      continue;
    }
    seen = current;
    if (stopping_.load()) return;
    if (!join()) continue;
    Worker worker{index, threads_, scratch_[index].as<std::byte>(), shared_.as<std::byte>()};
    program_->work(worker);
    leave();
  }
}

bool Pool::join() {
  uint32_t state = gate_.load(std::memory_order_acquire);
  while ((state & open) != 0) {
    if (gate_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) return true;
  }
  return false;
}

void Pool::publish(Program &program) {
  program_ = &program;
  gate_.store(open, std::memory_order_release);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
}

void Pool::finish() {
  gate_.fetch_and(~open, std::memory_order_acq_rel);
  Backoff backoff;
  while (gate_.load(std::memory_order_acquire) != 0) backoff.wait();
}

void Pool::run(Program &program) {
  std::lock_guard<TicketLock> lock(order_);
  program.rewind();
  Worker worker{0, threads_, scratch_[0].as<std::byte>(), shared_.as<std::byte>()};
  bool alone = threads_ == 1 || (program.steps_.size() == 1 && program.steps_[0].tasks == 1);
  if (!alone) publish(program);
  program.work(worker);
  if (!alone) finish();
  if (program.failed_.load()) throw Failure(program.status_, program.error_.message);
}

} // namespace posed
