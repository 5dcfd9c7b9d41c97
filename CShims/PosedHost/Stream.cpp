// Streams, events and graphs. Work is finished when a call returns, so an event has nothing to
// remember; a graph is a program of recorded operations.
#include "Table.h"
#include "posed_host/device.h"

namespace posed {
namespace {

posed_status stream_create(posed_device *device, posed_stream **stream, posed_error *error) {
  return guard(error, [&] {
    require(device, "device");
    require(stream, "stream");
    *stream = new posed_stream(device);
  });
}

void stream_destroy(posed_stream *stream) { delete stream; }

posed_status stream_synchronize(posed_stream *stream, posed_error *error) {
  return guard(error, [&] {
    require(stream, "stream");
    stream->require_running("stream_synchronize");
  });
}

posed_status event_create(posed_device *device, posed_event **event, posed_error *error) {
  return guard(error, [&] {
    require(device, "device");
    require(event, "event");
    *event = new posed_event{device};
  });
}

void event_destroy(posed_event *event) { delete event; }

posed_status event_record(posed_stream *stream, posed_event *event, posed_error *error) {
  return guard(error, [&] {
    require(stream, "stream");
    require(event, "event");
    stream->require_running("event_record");
  });
}

posed_status event_wait(posed_stream *stream, posed_event *event, posed_error *error) {
  return guard(error, [&] {
    require(stream, "stream");
    require(event, "event");
    stream->require_running("event_wait");
  });
}

posed_status event_synchronize(posed_event *event, posed_error *error) {
  return guard(error, [&] { require(event, "event"); });
}

posed_status capture_begin(posed_stream *stream, posed_error *error) {
  return guard(error, [&] {
    require(stream, "stream");
    stream->begin(std::make_unique<Program>(stream->device->pool.threads()));
  });
}

posed_status capture_end(posed_stream *stream, posed_graph **graph, posed_error *error) {
  return guard(error, [&] {
    require(stream, "stream");
    require(graph, "graph");
    auto made = std::make_unique<posed_graph>();
    made->device = stream->device;
    made->program = stream->end();
    stream->device->pool.admit(*made->program);
    *graph = made.release();
  });
}

posed_status graph_launch(posed_stream *stream, posed_graph *graph, posed_error *error) {
  return guard(error, [&] {
    require(stream, "stream");
    require(graph, "graph");
    stream->require_running("graph_launch");
    if (graph->device != stream->device) {
      fail(POSED_INVALID_ARGUMENT, "graph_launch: the graph belongs to another device.");
    }
    stream->device->pool.run(*graph->program);
  });
}

void graph_destroy(posed_graph *graph) {
  if (graph != nullptr) graph->device->pool.settle();
  delete graph;
}

} // namespace

void fill_stream(posed_backend &table) {
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

} // namespace posed
