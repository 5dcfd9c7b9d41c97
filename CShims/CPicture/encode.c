#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// After stdio.h, which it needs.
#include <jpeglib.h>
// After jpeglib.h, which says what it has.
#include <jerror.h>

#include "internal.h"

/// Everything an encode owns. It lives in the frame that frees it, outside the one that jumps back.
typedef struct encoder {
  const uint8_t *pixels;
  uint32_t width;
  uint32_t height;
  note note;
  png_structp png;
  png_infop info;
  struct jpeg_compress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_destination_mgr destination;
  jmp_buf back;
  uint8_t *data;
  size_t size;
  size_t capacity;
  cpicture_status failure;
} encoder;

/// Begins an encode of what the caller passed. Fails where there is nothing to encode, or nowhere to put it.
static cpicture_status begin(encoder *self, const uint8_t *pixels, uint32_t width, uint32_t height,
                             uint8_t **data, size_t *size, char *message, size_t message_capacity) {
  *self = (encoder){
      .pixels = pixels,
      .width = width,
      .height = height,
      .note = {message, message_capacity},
      .failure = CPICTURE_BAD_ARGUMENT,
  };
  if (data == NULL || size == NULL) return CPICTURE_BAD_ARGUMENT;
  *data = NULL;
  *size = 0;
  if (pixels != NULL && width > 0 && height > 0) return CPICTURE_OK;
  note_say(&self->note, "a picture that is written needs pixels");
  return CPICTURE_BAD_ARGUMENT;
}

/// Makes room for `count` more bytes; 0 where there is no memory for them.
static int reserve(encoder *self, size_t count) {
  if (count <= self->capacity - self->size) return 1;
  size_t capacity = self->capacity == 0 ? 65536 : self->capacity;
  while (capacity - self->size < count && capacity <= SIZE_MAX / 2) capacity *= 2;
  uint8_t *grown = capacity - self->size < count ? NULL : (uint8_t *)realloc(self->data, capacity);
  if (grown == NULL) {
    self->failure = CPICTURE_NO_MEMORY;
    return 0;
  }
  self->data = grown;
  self->capacity = capacity;
  return 1;
}

/// Hands over what was encoded, or frees it.
static cpicture_status finish(encoder *self, cpicture_status status, uint8_t **data, size_t *size) {
  if (status == CPICTURE_OK) {
    *data = self->data;
    *size = self->size;
  } else {
    free(self->data);
  }
  return status;
}

static void png_failed(png_structp png, png_const_charp message) {
  note_say(&((encoder *)png_get_error_ptr(png))->note, "%s", message);
  png_longjmp(png, 1);
}

static void png_warned(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
  encoder *self = (encoder *)png_get_io_ptr(png);
  if (!reserve(self, count)) png_error(png, "there is no memory for the encoded picture");
  memcpy(self->data + self->size, bytes, count);
  self->size += count;
}

static void flush(png_structp png) { (void)png; }

/// The encode proper. A jump from libpng lands here and leaves through `failure`.
static cpicture_status write_png(encoder *self, int channels, int level) {
  png_structp png = self->png;
  if (setjmp(png_jmpbuf(png))) return self->failure;
  png_set_write_fn(png, self, write_bytes, flush);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_compression_level(png, level);
  png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_ALL_FILTERS);
  png_set_IHDR(png, self->info, self->width, self->height, 8,
               channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, self->info);
  const size_t stride = (size_t)self->width * (size_t)channels;
  for (size_t y = 0; y < self->height; y++) png_write_row(png, self->pixels + y * stride);
  png_write_end(png, NULL);
  return CPICTURE_OK;
}

cpicture_status cpicture_encode_png(const uint8_t *pixels, uint32_t width, uint32_t height, int channels,
                                    int level, uint8_t **data, size_t *size, char *message,
                                    size_t message_capacity) {
  encoder self;
  cpicture_status status = begin(&self, pixels, width, height, data, size, message, message_capacity);
  if (status != CPICTURE_OK) return status;
  if ((channels != 1 && channels != 3) || level < 0 || level > 9) {
    note_say(&self.note, "a PNG needs 1 or 3 channels and a level of 0 to 9");
    return CPICTURE_BAD_ARGUMENT;
  }
  status = CPICTURE_NO_MEMORY;
  self.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &self, png_failed, png_warned);
  if (self.png != NULL) self.info = png_create_info_struct(self.png);
  if (self.info == NULL) {
    note_say(&self.note, "libpng could not be set up");
  } else {
    status = write_png(&self, channels, level);
  }
  png_destroy_write_struct(&self.png, &self.info);
  return finish(&self, status, data, size);
}

static void jpeg_failed(j_common_ptr jpeg) {
  encoder *self = (encoder *)jpeg->client_data;
  char text[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, text);
  note_say(&self->note, "%s", text);
  if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY) self->failure = CPICTURE_NO_MEMORY;
  longjmp(self->back, 1);
}

static void jpeg_warned(j_common_ptr jpeg, int level) {
  (void)jpeg;
  (void)level;
}

/// Doubles the room, all of which libjpeg has filled.
static boolean jpeg_grow(j_compress_ptr jpeg) {
  encoder *self = (encoder *)jpeg->client_data;
  self->size = self->capacity;
  if (!reserve(self, 65536)) {
    note_say(&self->note, "there is no memory for the encoded picture");
    longjmp(self->back, 1);
  }
  self->destination.next_output_byte = self->data + self->size;
  self->destination.free_in_buffer = self->capacity - self->size;
  return TRUE;
}

static void jpeg_begin(j_compress_ptr jpeg) { (void)jpeg_grow(jpeg); }

static void jpeg_end(j_compress_ptr jpeg) {
  encoder *self = (encoder *)jpeg->client_data;
  self->size = self->capacity - self->destination.free_in_buffer;
}

/// The encode proper. A jump from libjpeg lands here and leaves through `failure`.
static cpicture_status write_jpeg(encoder *self, int quality) {
  enum { FULL_COLOUR_QUALITY = 90 };
  if (setjmp(self->back)) return self->failure;
  struct jpeg_compress_struct *jpeg = &self->jpeg;
  jpeg_create_compress(jpeg);
  self->destination.init_destination = jpeg_begin;
  self->destination.empty_output_buffer = jpeg_grow;
  self->destination.term_destination = jpeg_end;
  jpeg->dest = &self->destination;
  jpeg->image_width = self->width;
  jpeg->image_height = self->height;
  jpeg->input_components = 3;
  jpeg->in_color_space = JCS_RGB;
  jpeg_set_defaults(jpeg);
  jpeg_set_quality(jpeg, quality, TRUE);
  if (quality >= FULL_COLOUR_QUALITY) {
    jpeg->comp_info[0].h_samp_factor = 1;
    jpeg->comp_info[0].v_samp_factor = 1;
  }
  jpeg_start_compress(jpeg, TRUE);
  const size_t stride = (size_t)self->width * 3;
  while (jpeg->next_scanline < jpeg->image_height) {
    JSAMPROW rows[1] = {(JSAMPROW)(uintptr_t)(self->pixels + jpeg->next_scanline * stride)};
    (void)jpeg_write_scanlines(jpeg, rows, 1);
  }
  jpeg_finish_compress(jpeg);
  return CPICTURE_OK;
}

cpicture_status cpicture_encode_jpeg(const uint8_t *pixels, uint32_t width, uint32_t height, int quality,
                                     uint8_t **data, size_t *size, char *message, size_t message_capacity) {
  encoder self;
  cpicture_status status = begin(&self, pixels, width, height, data, size, message, message_capacity);
  if (status != CPICTURE_OK) return status;
  if (width > JPEG_MAX_DIMENSION || height > JPEG_MAX_DIMENSION || quality < 1 || quality > 100) {
    note_say(&self.note, "a JPEG needs sides of at most %ld and a quality of 1 to 100", JPEG_MAX_DIMENSION);
    return CPICTURE_BAD_ARGUMENT;
  }
  self.jpeg.err = jpeg_std_error(&self.errors);
  self.errors.error_exit = jpeg_failed;
  self.errors.emit_message = jpeg_warned;
  self.jpeg.client_data = &self;
  status = write_jpeg(&self, quality);
  jpeg_destroy_compress(&self.jpeg);
  return finish(&self, status, data, size);
}
