#include "internal.h"

#include <string.h>

#include <zlib.h>

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

bool posed_grpc_message_is_gzip(posed_grpc_message *message) {
  grpc_byte_buffer *buffer = message_in(message);
  return buffer->type == GRPC_BB_RAW && buffer->data.raw.compression == GRPC_COMPRESS_GZIP;
}

bool posed_gzip_inflate(const void *source, size_t size, void *target, size_t capacity) {
  enum { GZIP_ONLY = 16 };
  if (size > UINT_MAX || capacity > UINT_MAX) return false;
  z_stream stream = {.next_in = (Bytef *)source, .avail_in = (uInt)size};
  if (inflateInit2(&stream, MAX_WBITS + GZIP_ONLY) != Z_OK) return false;
  Bytef none = 0; // zlib refuses NULL, even for nothing
  stream.next_out = capacity ? target : &none;
  stream.avail_out = (uInt)capacity;
  int result = inflate(&stream, Z_FINISH);
  bool good = result == Z_STREAM_END && stream.avail_out == 0 && stream.avail_in == 0;
  inflateEnd(&stream);
  return good;
}

void posed_grpc_message_destroy(posed_grpc_message *message) {
  grpc_byte_buffer_destroy(message_in(message));
}
