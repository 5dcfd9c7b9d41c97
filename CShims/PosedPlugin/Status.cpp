#include "posed_plugin/status.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace posed {

void fail(posed_status status, const char *format, ...) {
  char text[2 * POSED_MAX_MESSAGE]; // `report` cuts it, at a whole character
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  throw Failure(status, text);
}

void report(posed_error *error, const char *message) noexcept {
  if (error == nullptr) return;
  size_t length = std::strlen(message);
  if (length >= POSED_MAX_MESSAGE) {
    length = POSED_MAX_MESSAGE - 1;
    while (length > 0 && (static_cast<unsigned char>(message[length]) & 0xC0) == 0x80) --length;
  }
  std::memcpy(error->message, message, length);
  error->message[length] = 0;
}

} // namespace posed
