// libcuda: streams, events, copies and graphs.
#include <algorithm>
#include <cstring>

#include "StandIn.h"

using namespace standin;

#define ENTER(name)                                                                                          \
  std::lock_guard lock(world().mutex);                                                                       \
  if (Result entered = enter(name); entered != success) return entered

namespace {

/// What waits or asks during a capture spoils it.
Result spoil(Stream *stream) {
  stream->invalidated = true;
  return capture_unsupported;
}

/// Whether bytes lie within one allocation.
bool on_device(unsigned long long address, size_t bytes) {
  const auto &memory = current()->memory;
  auto after = memory.upper_bound(address);
  if (after == memory.begin()) return false;
  const auto &[begin, allocation] = *std::prev(after);
  return address + bytes <= begin + allocation.bytes;
}

} // namespace

STANDIN_EXPORT Result cuStreamCreate(Stream **stream, unsigned) {
  ENTER("cuStreamCreate");
  *stream = new Stream;
  (*stream)->device = current()->device;
  current()->streams.push_back(*stream);
  return success;
}

STANDIN_EXPORT Result cuStreamDestroy_v2(Stream *stream) {
  std::lock_guard lock(world().mutex);
  Context &context = world().contexts[stream->device];
  drain(stream, stream->submitted);
  std::erase(context.streams, stream);
  delete stream;
  return enter("cuStreamDestroy_v2");
}

STANDIN_EXPORT Result cuStreamSynchronize(Stream *stream) {
  ENTER("cuStreamSynchronize");
  if (stream->capture != nullptr) return spoil(stream);
  return drain(stream, stream->submitted);
}

STANDIN_EXPORT Result cuStreamWaitEvent(Stream *stream, Event *event, unsigned) {
  ENTER("cuStreamWaitEvent");
  if (stream->capture != nullptr) return spoil(stream);
  Stream *other = event->stream;
  const uint64_t position = event->position;
  if (other == nullptr) return success;
  return submit(stream, [other, position] { return drain(other, position); });
}

STANDIN_EXPORT Result cuMemcpyHtoDAsync_v2(unsigned long long to, const void *from, size_t bytes,
                                           Stream *stream) {
  ENTER("cuMemcpyHtoDAsync_v2");
  if (!on_device(to, bytes)) return invalid_value;
  return submit(stream, [=] {
    std::memcpy(reinterpret_cast<void *>(to), from, bytes);
    return success;
  });
}

STANDIN_EXPORT Result cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t bytes, Stream *stream) {
  ENTER("cuMemcpyDtoHAsync_v2");
  if (!on_device(from, bytes)) return invalid_value;
  return submit(stream, [=] {
    std::memcpy(to, reinterpret_cast<void *>(from), bytes);
    return success;
  });
}

STANDIN_EXPORT Result cuEventCreate(Event **event, unsigned) {
  ENTER("cuEventCreate");
  *event = new Event;
  ++current()->events;
  return success;
}

STANDIN_EXPORT Result cuEventDestroy_v2(Event *event) {
  std::lock_guard lock(world().mutex);
  delete event;
  if (current() != nullptr) --current()->events;
  return enter("cuEventDestroy_v2");
}

STANDIN_EXPORT Result cuEventRecord(Event *event, Stream *stream) {
  ENTER("cuEventRecord");
  if (stream->capture != nullptr) return spoil(stream);
  *event = {stream, stream->submitted};
  return success;
}

STANDIN_EXPORT Result cuEventQuery(Event *event) {
  ENTER("cuEventQuery");
  return event->stream == nullptr || event->stream->done >= event->position ? success : not_ready;
}

STANDIN_EXPORT Result cuEventSynchronize(Event *event) {
  ENTER("cuEventSynchronize");
  return event->stream == nullptr ? success : drain(event->stream, event->position);
}

STANDIN_EXPORT Result cuStreamBeginCapture_v2(Stream *stream, unsigned mode) {
  ENTER("cuStreamBeginCapture_v2");
  if (stream->capture != nullptr || mode > 2) return invalid_value;
  stream->capture = new Graph;
  stream->invalidated = false;
  return success;
}

STANDIN_EXPORT Result cuStreamEndCapture(Stream *stream, Graph **graph) {
  std::lock_guard lock(world().mutex);
  const Result entered = enter("cuStreamEndCapture");
  if (stream->capture == nullptr) return invalid_value;
  Graph *made = stream->capture;
  stream->capture = nullptr;
  *graph = nullptr;
  if (entered != success || stream->invalidated) {
    delete made;
    return entered != success ? entered : 901; // invalidated
  }
  *graph = made;
  ++current()->graphs;
  return success;
}

STANDIN_EXPORT Result cuGraphInstantiateWithFlags(Graph **executable, Graph *graph, unsigned long long) {
  ENTER("cuGraphInstantiateWithFlags");
  *executable = new Graph(*graph);
  ++current()->graphs;
  return success;
}

STANDIN_EXPORT Result cuGraphLaunch(Graph *executable, Stream *stream) {
  ENTER("cuGraphLaunch");
  if (stream->capture != nullptr) return spoil(stream);
  for (const Work &work : executable->work) submit(stream, work);
  return success;
}

STANDIN_EXPORT Result cuGraphExecDestroy(Graph *executable) {
  std::lock_guard lock(world().mutex);
  delete executable;
  if (current() != nullptr) --current()->graphs;
  return enter("cuGraphExecDestroy");
}

STANDIN_EXPORT Result cuGraphDestroy(Graph *graph) {
  std::lock_guard lock(world().mutex);
  delete graph;
  if (current() != nullptr) --current()->graphs;
  return enter("cuGraphDestroy");
}
