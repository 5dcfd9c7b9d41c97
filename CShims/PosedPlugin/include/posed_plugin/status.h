// Failures inside a CPU plugin are C++ exceptions; `guard` turns them into a status and a sentence
// at the border, so that none crosses the ABI.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "posed_backend.h"

namespace posed {

/// A status other than POSED_OK, with one sentence: what was expected and what came.
class Failure : public std::exception {
public:
  Failure(posed_status status, std::string message) noexcept : status(status), message(std::move(message)) {}
  const char *what() const noexcept override { return message.c_str(); }

  posed_status status;
  std::string message;
};

/// Throws a Failure with a printf-style message.
[[noreturn]] void fail(posed_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// Refuses an argument that is NULL.
template <class T> void require(const T *pointer, const char *what) {
  if (pointer == nullptr) fail(POSED_INVALID_ARGUMENT, "%s is NULL.", what);
}

/// Copies a message into the caller's buffer, cut at a whole UTF-8 character if it is too long.
void report(posed_error *error, const char *message) noexcept;

/// Runs `body`; whatever it throws becomes a status and a message.
template <class Body> posed_status guard(posed_error *error, Body &&body) noexcept {
  try {
    body();
    return POSED_OK;
  } catch (const Failure &failure) {
    report(error, failure.what());
    return failure.status;
  } catch (const std::bad_alloc &) {
    report(error, "The host has no memory left for this call.");
    return POSED_OUT_OF_MEMORY;
  } catch (const std::exception &problem) {
    report(error, problem.what());
    return POSED_INTERNAL;
  } catch (...) {
    report(error, "An unknown exception was thrown inside the backend.");
    return POSED_INTERNAL;
  }
}

} // namespace posed
