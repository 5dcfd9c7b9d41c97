// Streams, events and captured graphs. A recording is a list of launches of our own; when it ends, they are
// put once, in one go, on the device's own stream while CUDA captures it. So a caller's stream is never in
// CUDA's capture, where other threads' calls could disturb it.
#include "Table.h"

namespace posed::cuda {
namespace {

posed_device *device_of(posed_stream *stream) { return stream == nullptr ? nullptr : stream->device; }

posed_status stream_create(posed_device *device, posed_stream **stream, posed_error *error) {
  return guard_on(device, error, [&] {
    require(stream, "stream");
    *stream = new posed_stream(device);
  });
}

void stream_destroy(posed_stream *stream) {
  if (stream == nullptr) return;
  (void)guard(nullptr, [&] { stream->device->context.enter(); });
  delete stream;
}

posed_status stream_synchronize(posed_stream *stream, posed_error *error) {
  return guard_on(device_of(stream), error, [&] {
    stream->require_running("stream_synchronize");
    const Driver &driver = stream->device->driver;
    driver.require(driver.stream_synchronize(stream->handle), "waiting for a stream");
  });
}

// ---- events ----

posed_status event_create(posed_device *device, posed_event **event, posed_error *error) {
  return guard_on(device, error, [&] {
    require(event, "event");
    auto made = std::make_unique<posed_event>(posed_event{device, nullptr});
    device->driver.require(device->driver.event_create(&made->handle, event_without_timing),
                           "making an event");
    *event = made.release();
  });
}

void event_destroy(posed_event *event) {
  if (event == nullptr) return;
  (void)guard(nullptr, [&] { event->device->context.enter(); });
  event->device->driver.event_destroy(event->handle);
  delete event;
}

void require_same(const posed_device *one, const posed_device *other, const char *call) {
  if (one == other) return;
  fail(POSED_INVALID_ARGUMENT, "%s: the stream and the other object belong to different devices.", call);
}

posed_status event_record(posed_stream *stream, posed_event *event, posed_error *error) {
  return guard_on(device_of(stream), error, [&] {
    require(event, "event");
    stream->require_running("event_record");
    require_same(stream->device, event->device, "event_record");
    const Driver &driver = stream->device->driver;
    driver.require(driver.event_record(event->handle, stream->handle), "recording an event");
  });
}

posed_status event_wait(posed_stream *stream, posed_event *event, posed_error *error) {
  return guard_on(device_of(stream), error, [&] {
    require(event, "event");
    stream->require_running("event_wait");
    const Driver &driver = stream->device->driver;
    driver.require(driver.stream_wait(stream->handle, event->handle, 0), "waiting for an event");
  });
}

posed_status event_synchronize(posed_event *event, posed_error *error) {
  return guard_on(event == nullptr ? nullptr : event->device, error, [&] {
    const Driver &driver = event->device->driver;
    driver.require(driver.event_synchronize(event->handle), "waiting for an event");
  });
}

// ---- graphs ----

posed_status capture_begin(posed_stream *stream, posed_error *error) {
  return guard_on(device_of(stream), error, [&] { stream->begin({}); });
}

/// CUDA's graph of a program. The device's own stream is in use meanwhile.
GraphHandle captured(posed_device &device, const Program &program, Address scratch) {
  const Driver &driver = device.driver;
  GraphHandle graph = nullptr;
  // Relaxed: a library that loads its kernels late may do so now.
  driver.require(driver.capture_begin(device.own_stream, capture_relaxed), "beginning a capture");
  try {
    for (const Launch &launch : program.launches) carry_out(device, device.own_stream, launch, scratch);
  } catch (...) {
    if (driver.capture_end(device.own_stream, &graph) == success && graph != nullptr)
      driver.graph_destroy(graph);
    throw;
  }
  driver.require(driver.capture_end(device.own_stream, &graph), "ending a capture");
  return graph;
}

std::unique_ptr<posed_graph> make_graph(posed_device &device, const Program &program) {
  auto made = std::make_unique<posed_graph>();
  made->device = &device;
  if (program.scratch_bytes > 0) made->scratch = DeviceMemory(device.pool, program.scratch_bytes);
  std::lock_guard lock(device.own_mutex);
  GraphHandle graph = captured(device, program, made->scratch.address());
  struct Owner {
    const Driver &driver;
    GraphHandle graph;
    ~Owner() { driver.graph_destroy(graph); }
  } owner{device.driver, graph};
  const auto instantiate = [&] { return device.driver.graph_instantiate(&made->executable, graph, 0); };
  device.driver.require(device.pool.with_room(instantiate), "making a graph");
  return made;
}

posed_status capture_end(posed_stream *stream, posed_graph **graph, posed_error *error) {
  return guard_on(device_of(stream), error, [&] {
    require(graph, "graph");
    *graph = make_graph(*stream->device, stream->end()).release();
  });
}

posed_status graph_launch(posed_stream *stream, posed_graph *graph, posed_error *error) {
  return guard_on(device_of(stream), error, [&] {
    require(graph, "graph");
    stream->require_running("graph_launch");
    require_same(stream->device, graph->device, "graph_launch");
    const Driver &driver = stream->device->driver;
    driver.require(driver.graph_launch(graph->executable, stream->handle), "launching a graph");
  });
}

void graph_destroy(posed_graph *graph) {
  if (graph == nullptr) return;
  (void)guard(nullptr, [&] { graph->device->context.enter(); });
  // CUDA keeps an executable graph until its launches are done; the pool keeps its scratch memory.
  graph->device->driver.graph_executable_destroy(graph->executable);
  delete graph;
}

} // namespace

void fill_streams(posed_backend &table) {
  table.stream_create = stream_create;
  table.stream_destroy = stream_destroy;
  table.stream_synchronize = stream_synchronize;
  table.event_create = event_create;
  table.event_destroy = event_destroy;
  table.event_record = event_record;
  table.event_wait = event_wait;
  table.event_synchronize = event_synchronize;
  table.capture_begin = capture_begin;
  table.capture_end = capture_end;
  table.graph_launch = graph_launch;
  table.graph_destroy = graph_destroy;
}

} // namespace posed::cuda
