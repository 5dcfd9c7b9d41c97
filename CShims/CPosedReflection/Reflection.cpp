// The interface: every function catches what those of Pool.h throw.
#include "Pool.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

namespace {

/// Runs a body that returns a status, and turns exceptions into one.
template <typename Body> posed_reflection_status guarded(Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return POSED_REFLECTION_NO_MEMORY;
  } catch (...) {
    return POSED_REFLECTION_FAILED;
  }
}

/// Answers with files; an empty list is nothing found.
template <typename Find> posed_reflection_status answer(posed_reflection_reply **reply, Find find) noexcept {
  *reply = nullptr;
  return guarded([&] {
    auto made = std::make_unique<posed_reflection_reply>();
    made->strings = find();
    if (made->strings.empty()) {
      return POSED_REFLECTION_NOT_FOUND;
    }
    *reply = made.release();
    return POSED_REFLECTION_OK;
  });
}

void say(const std::string &text, char *message, size_t capacity) noexcept {
  if (message == nullptr || capacity == 0) {
    return;
  }
  const size_t count = std::min(text.size(), capacity - 1);
  std::memcpy(message, text.data(), count);
  message[count] = 0;
}

} // namespace

posed_reflection_status posed_reflection_create(const uint8_t *data, size_t size, posed_reflection **pool,
                                                char *message, size_t capacity) {
  *pool = nullptr;
  say("", message, capacity);
  return guarded([&] {
    auto made = std::make_unique<posed_reflection>();
    std::string problem;
    if (!made->add(data, size, problem)) {
      say(problem, message, capacity);
      return POSED_REFLECTION_MALFORMED;
    }
    *pool = made.release();
    return POSED_REFLECTION_OK;
  });
}

void posed_reflection_destroy(posed_reflection *pool) { delete pool; }

posed_reflection_status posed_reflection_services(const posed_reflection *pool,
                                                  posed_reflection_reply **reply) {
  return answer(reply, [&] { return pool->services(); });
}

posed_reflection_status posed_reflection_file(const posed_reflection *pool, const char *name, size_t size,
                                              posed_reflection_reply **reply) {
  return answer(reply, [&] { return pool->file(std::string(name, size)); });
}

posed_reflection_status posed_reflection_symbol(const posed_reflection *pool, const char *name, size_t size,
                                                posed_reflection_reply **reply) {
  return answer(reply, [&] { return pool->symbol(std::string(name, size)); });
}

posed_reflection_status posed_reflection_extension(const posed_reflection *pool, const char *message_name,
                                                   size_t size, int32_t number,
                                                   posed_reflection_reply **reply) {
  return answer(reply, [&] { return pool->extension(std::string(message_name, size), number); });
}

posed_reflection_status posed_reflection_extension_numbers(const posed_reflection *pool,
                                                           const char *message_name, size_t size,
                                                           posed_reflection_reply **reply) {
  *reply = nullptr;
  return guarded([&] {
    auto made = std::make_unique<posed_reflection_reply>();
    if (!pool->extensionNumbers(std::string(message_name, size), made->numbers)) {
      return POSED_REFLECTION_NOT_FOUND;
    }
    *reply = made.release();
    return POSED_REFLECTION_OK;
  });
}

size_t posed_reflection_reply_count(const posed_reflection_reply *reply) { return reply->strings.size(); }

const uint8_t *posed_reflection_reply_bytes(const posed_reflection_reply *reply, size_t index, size_t *size) {
  if (index >= reply->strings.size()) {
    *size = 0;
    return nullptr;
  }
  *size = reply->strings[index].size();
  return reinterpret_cast<const uint8_t *>(reply->strings[index].data());
}

const int32_t *posed_reflection_reply_numbers(const posed_reflection_reply *reply, size_t *count) {
  *count = reply->numbers.size();
  return reply->numbers.data();
}

void posed_reflection_reply_free(posed_reflection_reply *reply) { delete reply; }
