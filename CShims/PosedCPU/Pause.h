// Waiting without sleeping: a burst of pauses, then offers of the processor to others.
#pragma once

#include <immintrin.h>
#include <sched.h>

namespace posed {

class Patience {
public:
  void wait() {
    if (turns_ < 4096) {
      ++turns_;
      _mm_pause();
    } else {
      sched_yield();
    }
  }

private:
  int turns_ = 0;
};

} // namespace posed
