// Counting, failing, and doing work late.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "StandIn.h"

namespace standin {

World &world() {
  static World *const everything = new World; // outlives what other libraries do at exit
  return *everything;
}

Context *&current() {
  static thread_local Context *context = nullptr;
  return context;
}

std::string setting(const char *name, const char *otherwise) {
  const char *value = std::getenv(name);
  return value == nullptr || *value == 0 ? otherwise : value;
}

uint64_t number_setting(const char *name, uint64_t otherwise) {
  const std::string value = setting(name, "");
  return value.empty() ? otherwise : std::strtoull(value.c_str(), nullptr, 10);
}

int most_shared_bytes() {
  switch (number_setting("POSED_STANDIN_CAPABILITY", 90)) {
  case 80:
    return 163 << 10;
  case 90:
  case 100:
    return 227 << 10;
  default:
    return 99 << 10;
  }
}

/// Whether the file that POSED_STANDIN_LOSE names is there, and names this device or none.
static bool is_to_be_lost(int device) {
  const std::string sign = setting("POSED_STANDIN_LOSE", "");
  std::ifstream file(sign);
  if (sign.empty() || !file) return false;
  int ordinal = device - first_device;
  file >> ordinal;
  return ordinal == device - first_device;
}

Result enter(const char *call, bool needs_context) {
  const uint64_t count = ++world().calls[call];
  Context *context = current();
  if (context != nullptr && context->lost != success) return context->lost;
  if (needs_context && context == nullptr) return invalid_context;
  if (context != nullptr && std::strcmp(call, "kernel") == 0 && is_to_be_lost(context->device)) {
    return context->lost = illegal_address;
  }
  const std::string plan = setting("POSED_STANDIN_FAIL", "");
  const size_t first = plan.find(':'), second = plan.find(':', first + 1);
  if (second == std::string::npos || plan.compare(0, first, call) != 0) return success;
  if (std::strtoull(plan.c_str() + first + 1, nullptr, 10) != count) return success;
  const Result code = std::atoi(plan.c_str() + second + 1);
  if (code >= 700 && code < 800 && context != nullptr) context->lost = code;
  return code;
}

Result submit(Stream *stream, Work work) {
  if (stream->capture != nullptr) {
    stream->capture->work.push_back(std::move(work));
    return success;
  }
  stream->waiting.push_back(std::move(work));
  ++stream->submitted;
  return success;
}

Result drain(Stream *stream, uint64_t position) {
  Context &context = world().contexts[stream->device];
  while (stream->done < position) {
    Work work = std::move(stream->waiting.front());
    stream->waiting.pop_front();
    ++stream->done;
    if (context.lost != success) continue; // nothing is done any more
    if (Result result = work(); result != success) context.lost = result;
  }
  return context.lost;
}

Result drain_all(Context &context) {
  for (Stream *stream : context.streams) drain(stream, stream->submitted);
  return context.lost;
}

void forget(Context &context) {
  const size_t kept[] = {context.memory.size(),   context.streams.size(), size_t(context.events),
                         size_t(context.modules), size_t(context.graphs), size_t(context.pinned)};
  const char *what[] = {"allocations", "streams", "events", "modules", "graphs", "pinned allocations"};
  const std::string report = setting("POSED_STANDIN_REPORT", "");
  std::ofstream file;
  if (!report.empty()) file.open(report, std::ios::app);
  for (int i = 0; i < 6; ++i) {
    // The driver takes back what a lost context has.
    if (kept[i] != 0 && context.lost == success)
      std::fprintf(stderr, "stand-in: %zu %s were not given back\n", kept[i], what[i]);
    if (file) file << kept[i] << " kept " << what[i] << "\n";
  }
  if (file) {
    for (const auto &[call, count] : world().calls) file << count << " " << call << "\n";
  }
  for (const auto &[address, allocation] : context.memory) munmap(allocation.mapping, allocation.mapped);
  context.memory.clear();
  context.used = 0;
  context.lost = success;
  context.events = context.modules = context.graphs = context.pinned = 0;
  context.streams.clear();
}

} // namespace standin

/// How often an entry point was called, or "kernel" or "product" done.
STANDIN_EXPORT uint64_t posed_standin_calls(const char *name) {
  std::lock_guard lock(standin::world().mutex);
  return standin::world().calls[name];
}
