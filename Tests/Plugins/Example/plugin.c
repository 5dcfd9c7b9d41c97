#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "example.h"

/* ---- Device ---------------------------------------------------------------------------------- */

static posed_status probe(posed_probe_result *result, posed_error *error) {
  (void)error;
  result->score = 1;
  result->devices = 1;
  snprintf(result->summary, sizeof result->summary, "plain loops, which run anywhere");
  return POSED_OK;
}

static posed_status device_open(const posed_device_options *options, posed_device **device,
                                posed_error *error) {
  if (options->index != 0)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "there is one device, 0, and not %d",
                          options->index);
  if (options->threads < 0)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "%d threads were asked for", options->threads);
  posed_device *made = calloc(1, sizeof *made);
  if (!made) return example_refuse(error, POSED_OUT_OF_MEMORY, "no memory for a device");
  made->limit = options->memory_limit;
  *device = made;
  return POSED_OK;
}

static void device_close(posed_device *device) { free(device); }

static posed_status device_info(posed_device *device, posed_device_info *info, posed_error *error) {
  (void)error;
  memset(info, 0, sizeof *info);
  snprintf(info->name, sizeof info->name, "plain loops, 1 thread");
  snprintf(info->numerics, sizeof info->numerics, "example-f32");
  info->threads = 1;
  info->dtypes = 1u << POSED_F32;
  info->preferred = POSED_F32;
  info->memory_total = device->limit;
  info->memory_used = device->used;
  info->host_visible = 1;
  return POSED_OK;
}

static int32_t supports(posed_device *device, const posed_op_query *query, posed_error *error) {
  (void)device;
  bool weighted =
      query->op == POSED_OP_LINEAR || query->op == POSED_OP_CONV2D || query->op == POSED_OP_ATTENTION;
  uint32_t y = query->op == POSED_OP_QUANTIZE ? POSED_U8 : POSED_F32;
  bool bytes = query->op == POSED_OP_COPY && query->x_dtype == POSED_U8 && query->y_dtype == POSED_U8;
  if (query->op < POSED_OP_LINEAR || query->op > POSED_OP_QUANTIZE) {
    example_refuse(error, POSED_UNSUPPORTED, "operation %u is not known", query->op);
    return 0;
  }
  if (bytes) return 1;
  if (query->x_dtype != POSED_F32 || query->y_dtype != y || (weighted && query->compute != POSED_F32)) {
    example_refuse(error, POSED_UNSUPPORTED, "the example computes in float32 only");
    return 0;
  }
  return 1;
}

/* ---- Operations ------------------------------------------------------------------------------ */

#define OPERATION(member, number)                                                                            \
  static posed_status member(posed_stream *stream, const posed_##member##_desc *desc, posed_error *error) {  \
    example_op op = {.kind = desc ? number : 0};                                                             \
    if (desc) op.desc.member = *desc;                                                                        \
    return example_submit(stream, &op, error);                                                               \
  }

OPERATION(linear, POSED_OP_LINEAR)
OPERATION(conv2d, POSED_OP_CONV2D)
OPERATION(group_norm, POSED_OP_GROUP_NORM)
OPERATION(layer_norm, POSED_OP_LAYER_NORM)
OPERATION(attention, POSED_OP_ATTENTION)
OPERATION(copy, POSED_OP_COPY)
OPERATION(combine, POSED_OP_COMBINE)
OPERATION(activate, POSED_OP_ACTIVATE)
OPERATION(glu, POSED_OP_GLU)
OPERATION(quantize, POSED_OP_QUANTIZE)

/* ---- The table ------------------------------------------------------------------------------- */

static const posed_backend table = {
    .abi = POSED_BACKEND_ABI,
    .struct_size = sizeof(posed_backend),
    .name = "example",
    .version = "1.0",
    .probe = probe,
    .device_open = device_open,
    .device_close = device_close,
    .device_info = device_info,
    .supports = supports,
    .buffer_create = example_buffer_create,
    .buffer_destroy = example_buffer_destroy,
    .buffer_map = example_buffer_map,
    .upload = example_upload,
    .download = example_download,
    .stream_create = example_stream_create,
    .stream_destroy = example_stream_destroy,
    .stream_synchronize = example_stream_synchronize,
    .event_create = example_event_create,
    .event_destroy = example_event_destroy,
    /* All work is done when a call returns: a mark has nothing to wait for. */
    .event_record = example_event_mark,
    .event_wait = example_event_mark,
    .event_synchronize = example_event_synchronize,
    .capture_begin = example_capture_begin,
    .capture_end = example_capture_end,
    .graph_launch = example_graph_launch,
    .graph_destroy = example_graph_destroy,
    .weight_create_linear = example_linear_weight,
    .weight_create_conv2d = example_conv2d_weight,
    .weight_destroy = example_weight_destroy,
    .weight_bytes = example_weight_bytes,
    .linear = linear,
    .conv2d = conv2d,
    .group_norm = group_norm,
    .layer_norm = layer_norm,
    .attention = attention,
    .copy = copy,
    .combine = combine,
    .activate = activate,
    .glu = glu,
    .quantize = quantize,
};

POSED_EXPORT const posed_backend *posed_backend_entry(uint32_t host_abi);

POSED_EXPORT const posed_backend *posed_backend_entry(uint32_t host_abi) {
  return host_abi >> 16 == POSED_BACKEND_ABI_MAJOR ? &table : NULL;
}
