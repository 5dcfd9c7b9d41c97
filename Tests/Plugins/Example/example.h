/*
 * A complete backend in plain loops: float32 only, one thread, nothing clever. It is the shortest
 * answer to "what must a plugin do", and the tests hold it to the conformance suite like any other.
 *
 *   plugin.c   the table, the probe, devices
 *   memory.c   buffers and weights
 *   stream.c   streams, events, and graphs: recorded operations that are carried out again
 *   check.c    what a descriptor must fulfil before anything is touched
 *   ops.c      the operations
 */
#ifndef POSED_EXAMPLE_H
#define POSED_EXAMPLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "posed_backend.h"

struct posed_device {
  uint64_t limit; /* bytes of buffers and weights; 0: none */
  _Atomic uint64_t used;
};

struct posed_buffer {
  uint8_t *data;
  uint64_t bytes;
};

/* A matrix is the filter of a 1×1 convolution; both are kept as float32 [out, kh, kw, in]. */
struct posed_weight {
  float *data;
  float *bias; /* [out], zeros where the caller gave none */
  uint64_t bytes;
  bool is_filter;
  posed_conv2d_weight_desc shape; /* its pointers are not used */
};

/* One operation, with a copy of everything that its descriptor points to. */
typedef struct example_op {
  posed_op kind;
  union {
    posed_linear_desc linear;
    posed_conv2d_desc conv2d;
    posed_group_norm_desc group_norm;
    posed_layer_norm_desc layer_norm;
    posed_attention_desc attention;
    posed_copy_desc copy;
    posed_combine_desc combine;
    posed_activate_desc activate;
    posed_glu_desc glu;
    posed_quantize_desc quantize;
  } desc;
} example_op;

struct posed_graph {
  example_op *ops;
  size_t count, room;
};

struct posed_stream {
  posed_device *device;
  posed_graph *recording; /* NULL: operations are carried out at once */
  posed_status failure;   /* what ended the recording, or POSED_OK */
  bool capturing;
};

/* Writes one sentence to `error`, if there is one, and returns `status`. */
posed_status example_refuse(posed_error *error, posed_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* memory.c */
void *example_allocate(posed_device *device, uint64_t bytes);
void example_free(posed_device *device, void *memory, uint64_t bytes);
posed_status example_buffer_create(posed_device *device, uint64_t bytes, posed_buffer **buffer,
                                   posed_error *error);
void example_buffer_destroy(posed_device *device, posed_buffer *buffer);
void *example_buffer_map(posed_device *device, posed_buffer *buffer);
posed_status example_upload(posed_stream *stream, posed_buffer *to, uint64_t offset, const void *from,
                            uint64_t bytes, posed_error *error);
posed_status example_download(posed_stream *stream, void *to, posed_buffer *from, uint64_t offset,
                              uint64_t bytes, posed_error *error);
posed_status example_linear_weight(posed_device *device, const posed_linear_weight_desc *desc,
                                   posed_weight **weight, posed_error *error);
posed_status example_conv2d_weight(posed_device *device, const posed_conv2d_weight_desc *desc,
                                   posed_weight **weight, posed_error *error);
void example_weight_destroy(posed_device *device, posed_weight *weight);
uint64_t example_weight_bytes(const posed_weight *weight);

/* stream.c */
posed_status example_stream_create(posed_device *device, posed_stream **stream, posed_error *error);
void example_stream_destroy(posed_stream *stream);
posed_status example_stream_synchronize(posed_stream *stream, posed_error *error);
posed_status example_event_create(posed_device *device, posed_event **event, posed_error *error);
void example_event_destroy(posed_event *event);
posed_status example_event_mark(posed_stream *stream, posed_event *event, posed_error *error);
posed_status example_event_synchronize(posed_event *event, posed_error *error);
posed_status example_capture_begin(posed_stream *stream, posed_error *error);
posed_status example_capture_end(posed_stream *stream, posed_graph **graph, posed_error *error);
posed_status example_graph_launch(posed_stream *stream, posed_graph *graph, posed_error *error);
void example_graph_destroy(posed_graph *graph);
/* Checks `op`, then carries it out or records it. */
posed_status example_submit(posed_stream *stream, const example_op *op, posed_error *error);

/* check.c */
posed_status example_check(const example_op *op, posed_error *error);
bool example_known_activation(uint32_t activation);

/* ops.c */
void example_run(const example_op *op);

#endif
