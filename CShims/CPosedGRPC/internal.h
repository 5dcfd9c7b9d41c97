/// Conversions between this shim's handles and the library's, which are the same pointers.
#ifndef POSED_GRPC_INTERNAL_H
#define POSED_GRPC_INTERNAL_H

#include "posed_grpc.h"

#include <assert.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>

static inline grpc_completion_queue *queue_in(posed_grpc_queue *queue) {
  return (grpc_completion_queue *)queue;
}
static inline grpc_byte_buffer *message_in(posed_grpc_message *message) {
  return (grpc_byte_buffer *)message;
}
static inline grpc_call *call_in(posed_grpc_call *call) { return (grpc_call *)call; }
static inline grpc_server *server_in(posed_grpc_server *server) { return (grpc_server *)server; }
static inline grpc_channel *channel_in(posed_grpc_channel *channel) { return (grpc_channel *)channel; }

static inline posed_grpc_bytes slice_bytes(const grpc_slice *slice) {
  posed_grpc_bytes bytes = {GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice)};
  return bytes;
}

static inline grpc_slice slice_copy(posed_grpc_bytes bytes) {
  return grpc_slice_from_copied_buffer((const char *)bytes.bytes, bytes.count);
}

static inline posed_grpc_entry metadata_entry(const grpc_metadata *metadata) {
  posed_grpc_entry entry = {slice_bytes(&metadata->key), slice_bytes(&metadata->value)};
  return entry;
}

/// The most options that `posed_grpc_options` can turn into arguments.
#define POSED_GRPC_MAX_ARGUMENTS 32

/// The library's arguments for `options`; they point into `options` and `storage`.
grpc_channel_args posed_grpc_arguments(const posed_grpc_options *options, grpc_arg *storage);

/// The moment `time_left` nanoseconds from now.
gpr_timespec posed_grpc_deadline(int64_t time_left);

#endif
