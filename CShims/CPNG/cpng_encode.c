#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "cpng_internal.h"

/// Everything an encode owns. It lives in the frame that frees it, outside the one that jumps back.
typedef struct encoder {
  const uint8_t *pixels;
  uint32_t width;
  uint32_t height;
  int channels;
  int level;
  cpng_note note;
  png_structp png;
  png_infop info;
  uint8_t *data;
  size_t size;
  size_t capacity;
  cpng_status failure;
} encoder;

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
  encoder *self = (encoder *)png_get_io_ptr(png);
  if (count > self->capacity - self->size) {
    size_t capacity = self->capacity == 0 ? 65536 : self->capacity;
    while (capacity - self->size < count && capacity <= SIZE_MAX / 2) capacity *= 2;
    uint8_t *grown = capacity - self->size < count ? NULL : (uint8_t *)realloc(self->data, capacity);
    if (grown == NULL) {
      self->failure = CPNG_NO_MEMORY;
      png_error(png, "there is no memory for the encoded picture");
    }
    self->data = grown;
    self->capacity = capacity;
  }
  memcpy(self->data + self->size, bytes, count);
  self->size += count;
}

static void flush(png_structp png) { (void)png; }

/// The encode proper. A jump from libpng lands here and leaves through `failure`.
static cpng_status encode(encoder *self) {
  png_structp png = self->png;
  if (setjmp(png_jmpbuf(png))) return self->failure;
  png_set_write_fn(png, self, write_bytes, flush);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_compression_level(png, self->level);
  png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_ALL_FILTERS);
  png_set_IHDR(png, self->info, self->width, self->height, 8,
               self->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, self->info);
  const size_t stride = (size_t)self->width * (size_t)self->channels;
  for (size_t y = 0; y < self->height; y++) png_write_row(png, self->pixels + y * stride);
  png_write_end(png, NULL);
  return CPNG_OK;
}

cpng_status cpng_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, int level,
                        uint8_t **data, size_t *size, char *message, size_t message_capacity) {
  encoder self = {
      .pixels = pixels,
      .width = width,
      .height = height,
      .channels = channels,
      .level = level,
      .note = {message, message_capacity},
      .failure = CPNG_BAD_ARGUMENT,
  };
  if (data == NULL || size == NULL) return CPNG_BAD_ARGUMENT;
  *data = NULL;
  *size = 0;
  if (pixels == NULL || width == 0 || height == 0 || (channels != 1 && channels != 3) || level < 0 ||
      level > 9) {
    cpng_say(&self.note, "a PNG needs pixels, 1 or 3 channels and a level of 0 to 9");
    return CPNG_BAD_ARGUMENT;
  }
  cpng_status status = CPNG_NO_MEMORY;
  self.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &self.note, cpng_on_error, cpng_on_warning);
  if (self.png != NULL) self.info = png_create_info_struct(self.png);
  if (self.info == NULL) {
    cpng_say(&self.note, "libpng could not be set up");
  } else {
    status = encode(&self);
  }
  png_destroy_write_struct(&self.png, &self.info);
  if (status == CPNG_OK) {
    *data = self.data;
    *size = self.size;
  } else {
    free(self.data);
  }
  return status;
}
