#include "internal.h"

#include <string.h>

posed_grpc_message *posed_grpc_message_adopt(const void *bytes, size_t count, void (*release)(void *),
                                             void *context) {
  grpc_slice slice = grpc_slice_new_with_user_data((void *)bytes, count, release, context);
  grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_slice_unref(slice); // the buffer has its own hold
  return (posed_grpc_message *)buffer;
}

size_t posed_grpc_message_count(posed_grpc_message *message) {
  return grpc_byte_buffer_length(message_in(message));
}

bool posed_grpc_message_read(posed_grpc_message *message, void *target) {
  grpc_byte_buffer_reader reader;
  if (!grpc_byte_buffer_reader_init(&reader, message_in(message))) return false;
  uint8_t *end = target;
  grpc_slice *slice = NULL;
  while (grpc_byte_buffer_reader_peek(&reader, &slice)) {
    size_t count = GRPC_SLICE_LENGTH(*slice);
    if (count) memcpy(end, GRPC_SLICE_START_PTR(*slice), count);
    end += count;
  }
  grpc_byte_buffer_reader_destroy(&reader);
  return true;
}

void posed_grpc_message_destroy(posed_grpc_message *message) {
  grpc_byte_buffer_destroy(message_in(message));
}
