#include <stdlib.h>
#include <string.h>

#include "example.h"

/* ---- Streams and events ---------------------------------------------------------------------- */

posed_status example_stream_create(posed_device *device, posed_stream **stream, posed_error *error) {
  posed_stream *made = calloc(1, sizeof *made);
  if (!made) return example_refuse(error, POSED_OUT_OF_MEMORY, "no memory for a stream");
  made->device = device;
  *stream = made;
  return POSED_OK;
}

void example_stream_destroy(posed_stream *stream) {
  if (!stream) return;
  example_graph_destroy(stream->recording);
  free(stream);
}

posed_status example_stream_synchronize(posed_stream *stream, posed_error *error) {
  (void)stream, (void)error;
  return POSED_OK;
}

posed_status example_event_create(posed_device *device, posed_event **event, posed_error *error) {
  (void)device;
  void *made = calloc(1, 1);
  if (!made) return example_refuse(error, POSED_OUT_OF_MEMORY, "no memory for an event");
  *event = made;
  return POSED_OK;
}

void example_event_destroy(posed_event *event) { free(event); }

posed_status example_event_mark(posed_stream *stream, posed_event *event, posed_error *error) {
  (void)stream, (void)event, (void)error;
  return POSED_OK;
}

posed_status example_event_synchronize(posed_event *event, posed_error *error) {
  (void)event, (void)error;
  return POSED_OK;
}

/* ---- Graphs ---------------------------------------------------------------------------------- */

posed_status example_capture_begin(posed_stream *stream, posed_error *error) {
  if (stream->capturing)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "the stream is recording already");
  posed_graph *graph = calloc(1, sizeof *graph);
  if (!graph) return example_refuse(error, POSED_OUT_OF_MEMORY, "no memory for a graph");
  stream->recording = graph;
  stream->failure = POSED_OK;
  stream->capturing = true;
  return POSED_OK;
}

/* Ends the recording for good, but for capture_end, which reports `status`. */
static posed_status abandon(posed_stream *stream, posed_status status) {
  example_graph_destroy(stream->recording);
  stream->recording = NULL;
  stream->failure = status;
  return status;
}

static posed_status record(posed_stream *stream, const example_op *op, posed_error *error) {
  posed_graph *graph = stream->recording;
  if (!graph)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "an operation before this one ended the recording");
  if (graph->count == graph->room) {
    size_t room = graph->room ? 2 * graph->room : 64;
    example_op *grown = realloc(graph->ops, room * sizeof *grown);
    if (!grown)
      return abandon(
          stream, example_refuse(error, POSED_OUT_OF_MEMORY, "no memory for %zu recorded operations", room));
    graph->ops = grown;
    graph->room = room;
  }
  example_op copy = *op;
  if (op->kind == POSED_OP_ATTENTION && op->desc.attention.cached) {
    size_t bytes = (size_t)op->desc.attention.q.shape[0] * sizeof(posed_kv);
    posed_kv *cached = malloc(bytes);
    if (!cached)
      return abandon(stream,
                     example_refuse(error, POSED_OUT_OF_MEMORY, "no memory for a recorded operation"));
    memcpy(cached, op->desc.attention.cached, bytes);
    copy.desc.attention.cached = cached;
  }
  graph->ops[graph->count++] = copy;
  return POSED_OK;
}

posed_status example_submit(posed_stream *stream, const example_op *op, posed_error *error) {
  posed_status status = example_check(op, error);
  if (stream->capturing) return status == POSED_OK ? record(stream, op, error) : abandon(stream, status);
  if (status == POSED_OK) example_run(op);
  return status;
}

posed_status example_capture_end(posed_stream *stream, posed_graph **graph, posed_error *error) {
  if (!stream->capturing) return example_refuse(error, POSED_INVALID_ARGUMENT, "the stream is not recording");
  stream->capturing = false;
  if (!stream->recording)
    return example_refuse(error, stream->failure, "an operation failed while it was recorded");
  *graph = stream->recording;
  stream->recording = NULL;
  return POSED_OK;
}

posed_status example_graph_launch(posed_stream *stream, posed_graph *graph, posed_error *error) {
  if (stream->capturing) return example_refuse(error, POSED_INVALID_ARGUMENT, "a launch cannot be recorded");
  for (size_t index = 0; index < graph->count; index++) example_run(&graph->ops[index]);
  return POSED_OK;
}

void example_graph_destroy(posed_graph *graph) {
  if (!graph) return;
  for (size_t index = 0; index < graph->count; index++)
    if (graph->ops[index].kind == POSED_OP_ATTENTION) free((void *)graph->ops[index].desc.attention.cached);
  free(graph->ops);
  free(graph);
}
