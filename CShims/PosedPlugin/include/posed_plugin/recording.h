// What a stream does with work: carries it out, or records it for a graph.
#pragma once

#include <utility>

#include "posed_plugin/status.h"

namespace posed {

/// A recording of a stream and its end. A failure ends it: further work is refused until `end` reports that
/// failure. `Program` is what work is recorded in; an empty one stands for none.
template <class Program> class Recording {
public:
  /// Where work is recorded, or null where it is carried out at once. Throws after a failure.
  Program *recorded() {
    if (state_ == State::failed) {
      fail(POSED_INVALID_ARGUMENT, "The recording has ended with an earlier failure: end the capture first.");
    }
    return state_ == State::recording ? &program_ : nullptr;
  }

  /// Refuses a call that a recording may not contain.
  void require_running(const char *call) const {
    if (state_ == State::running) return;
    fail(POSED_INVALID_ARGUMENT, "%s is not allowed while a stream is recorded.", call);
  }

  /// Begins with an empty program.
  void begin(Program program) {
    require_running("capture_begin");
    program_ = std::move(program);
    state_ = State::recording;
  }

  /// Ends the recording whatever comes of it: its program, or the failure that ended it.
  Program end() {
    Program program = std::exchange(program_, {});
    const State state = std::exchange(state_, State::running);
    if (state == State::failed) throw Failure(failure_, error_.message);
    if (state == State::running) {
      fail(POSED_INVALID_ARGUMENT, "capture_end: the stream is not being recorded.");
    }
    return program;
  }

  /// Notes that an operation failed with `error`.
  void note_failure(posed_status status, const posed_error &error) {
    if (state_ != State::recording) return;
    state_ = State::failed;
    failure_ = status;
    error_ = error;
  }

private:
  enum class State { running, recording, failed };

  State state_ = State::running;
  Program program_ = {};
  posed_status failure_ = POSED_OK;
  posed_error error_ = {};
};

} // namespace posed
