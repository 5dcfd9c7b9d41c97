#include "internal.h"

#include <stdlib.h>
#include <string.h>

/// One operation of each type fits.
enum { MAX_OPERATIONS = 8 };

/// Entries on their way out, with holds on their slices.
typedef struct outgoing {
  grpc_metadata *entries;
  size_t count;
} outgoing;

struct posed_grpc_batch {
  grpc_op operations[MAX_OPERATIONS];
  size_t count;

  outgoing initial_out;
  outgoing trailing_out;
  grpc_byte_buffer *message_out;
  grpc_slice details_out;

  grpc_metadata_array initial_in;
  grpc_metadata_array trailing_in;
  grpc_byte_buffer *message_in;
  grpc_status_code status_in;
  grpc_slice details_in;
  int cancelled;
};

posed_grpc_batch *posed_grpc_batch_create(void) {
  posed_grpc_batch *batch = calloc(1, sizeof *batch);
  if (!batch) return NULL;
  grpc_metadata_array_init(&batch->initial_in);
  grpc_metadata_array_init(&batch->trailing_in);
  batch->details_out = grpc_empty_slice();
  batch->details_in = grpc_empty_slice();
  batch->status_in = GRPC_STATUS_UNKNOWN;
  return batch;
}

static void outgoing_destroy(outgoing *list) {
  for (size_t i = 0; i < list->count; i++) {
    grpc_slice_unref(list->entries[i].key);
    grpc_slice_unref(list->entries[i].value);
  }
  free(list->entries);
}

void posed_grpc_batch_destroy(posed_grpc_batch *batch) {
  outgoing_destroy(&batch->initial_out);
  outgoing_destroy(&batch->trailing_out);
  if (batch->message_out) grpc_byte_buffer_destroy(batch->message_out);
  grpc_slice_unref(batch->details_out);
  grpc_metadata_array_destroy(&batch->initial_in);
  grpc_metadata_array_destroy(&batch->trailing_in);
  if (batch->message_in) grpc_byte_buffer_destroy(batch->message_in);
  grpc_slice_unref(batch->details_in);
  free(batch);
}

static grpc_op *add(posed_grpc_batch *batch, grpc_op_type type) {
  grpc_op *operation = &batch->operations[batch->count++];
  memset(operation, 0, sizeof *operation);
  operation->op = type;
  return operation;
}

static bool copy_entries(outgoing *list, const posed_grpc_entry *entries, size_t count) {
  if (count == 0) return true;
  list->entries = calloc(count, sizeof *list->entries);
  if (!list->entries) return false;
  for (size_t i = 0; i < count; i++) {
    list->entries[i].key = slice_copy(entries[i].key);
    list->entries[i].value = slice_copy(entries[i].value);
  }
  list->count = count;
  return true;
}

bool posed_grpc_batch_send_initial_metadata(posed_grpc_batch *batch, const posed_grpc_entry *entries,
                                            size_t count, bool wait_for_ready) {
  if (!copy_entries(&batch->initial_out, entries, count)) return false;
  grpc_op *operation = add(batch, GRPC_OP_SEND_INITIAL_METADATA);
  if (wait_for_ready) {
    operation->flags =
        GRPC_INITIAL_METADATA_WAIT_FOR_READY | GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET;
  }
  operation->data.send_initial_metadata.count = batch->initial_out.count;
  operation->data.send_initial_metadata.metadata = batch->initial_out.entries;
  return true;
}

void posed_grpc_batch_send_message(posed_grpc_batch *batch, posed_grpc_message *message, bool through) {
  batch->message_out = message_in(message);
  grpc_op *operation = add(batch, GRPC_OP_SEND_MESSAGE);
  operation->flags = GRPC_WRITE_NO_COMPRESS | (through ? GRPC_WRITE_THROUGH : 0);
  operation->data.send_message.send_message = batch->message_out;
}

void posed_grpc_batch_send_close(posed_grpc_batch *batch) { add(batch, GRPC_OP_SEND_CLOSE_FROM_CLIENT); }

bool posed_grpc_batch_send_status(posed_grpc_batch *batch, int32_t code, posed_grpc_bytes details,
                                  const posed_grpc_entry *entries, size_t count) {
  if (!copy_entries(&batch->trailing_out, entries, count)) return false;
  batch->details_out = slice_copy(details);
  grpc_op *operation = add(batch, GRPC_OP_SEND_STATUS_FROM_SERVER);
  operation->data.send_status_from_server.status = (grpc_status_code)code;
  operation->data.send_status_from_server.status_details = &batch->details_out;
  operation->data.send_status_from_server.trailing_metadata_count = batch->trailing_out.count;
  operation->data.send_status_from_server.trailing_metadata = batch->trailing_out.entries;
  return true;
}

void posed_grpc_batch_receive_initial_metadata(posed_grpc_batch *batch) {
  grpc_op *operation = add(batch, GRPC_OP_RECV_INITIAL_METADATA);
  operation->data.recv_initial_metadata.recv_initial_metadata = &batch->initial_in;
}

void posed_grpc_batch_receive_message(posed_grpc_batch *batch) {
  add(batch, GRPC_OP_RECV_MESSAGE)->data.recv_message.recv_message = &batch->message_in;
}

void posed_grpc_batch_receive_status(posed_grpc_batch *batch) {
  grpc_op *operation = add(batch, GRPC_OP_RECV_STATUS_ON_CLIENT);
  operation->data.recv_status_on_client.trailing_metadata = &batch->trailing_in;
  operation->data.recv_status_on_client.status = &batch->status_in;
  operation->data.recv_status_on_client.status_details = &batch->details_in;
}

void posed_grpc_batch_receive_close(posed_grpc_batch *batch) {
  add(batch, GRPC_OP_RECV_CLOSE_ON_SERVER)->data.recv_close_on_server.cancelled = &batch->cancelled;
}

bool posed_grpc_call_start(posed_grpc_call *call, posed_grpc_batch *batch, void *tag) {
  return grpc_call_start_batch(call_in(call), batch->operations, batch->count, tag, NULL) == GRPC_CALL_OK;
}

size_t posed_grpc_batch_initial_metadata_count(const posed_grpc_batch *batch) {
  return batch->initial_in.count;
}

posed_grpc_entry posed_grpc_batch_initial_metadata(const posed_grpc_batch *batch, size_t index) {
  return metadata_entry(&batch->initial_in.metadata[index]);
}

size_t posed_grpc_batch_trailing_metadata_count(const posed_grpc_batch *batch) {
  return batch->trailing_in.count;
}

posed_grpc_entry posed_grpc_batch_trailing_metadata(const posed_grpc_batch *batch, size_t index) {
  return metadata_entry(&batch->trailing_in.metadata[index]);
}

posed_grpc_message *posed_grpc_batch_take_message(posed_grpc_batch *batch) {
  grpc_byte_buffer *message = batch->message_in;
  batch->message_in = NULL;
  return (posed_grpc_message *)message;
}

int32_t posed_grpc_batch_status(const posed_grpc_batch *batch) { return (int32_t)batch->status_in; }

posed_grpc_bytes posed_grpc_batch_status_details(const posed_grpc_batch *batch) {
  return slice_bytes(&batch->details_in);
}

bool posed_grpc_batch_cancelled(const posed_grpc_batch *batch) { return batch->cancelled != 0; }
