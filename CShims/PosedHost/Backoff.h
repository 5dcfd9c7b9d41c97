// Waiting without sleeping: a burst of pauses, then offers of the processor to others.
#pragma once

#include <sched.h>

namespace posed {

/// Tells the processor that this thread waits for another one.
inline void pause_processor() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

class Backoff {
public:
  void wait() {
    if (turns_ < 4096) {
      ++turns_;
      pause_processor();
    } else {
      sched_yield();
    }
  }

private:
  int turns_ = 0;
};

} // namespace posed
