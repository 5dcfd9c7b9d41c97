#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "internal.h"

/// Signature (8), length (4), "IHDR" (4), 13 bytes of header.
enum { HEADER_END = 8 + 4 + 4 + 13 };

/// Deflate never expands a byte to more than this many.
enum { DEFLATE_MAX_RATIO = 1032 };

static uint32_t big_endian_32(const uint8_t *p) {
  return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static uint32_t samples_per_pixel(uint8_t color_type) {
  switch (color_type) {
  case PNG_COLOR_TYPE_GRAY:
  case PNG_COLOR_TYPE_PALETTE:
    return 1;
  case PNG_COLOR_TYPE_GRAY_ALPHA:
    return 2;
  case PNG_COLOR_TYPE_RGB:
    return 3;
  case PNG_COLOR_TYPE_RGB_ALPHA:
    return 4;
  default:
    return 0;
  }
}

static int depth_fits(uint8_t color_type, uint8_t depth) {
  if (depth == 8) return 1;
  if (depth == 16) return color_type != PNG_COLOR_TYPE_PALETTE;
  if (depth != 1 && depth != 2 && depth != 4) return 0;
  return color_type == PNG_COLOR_TYPE_GRAY || color_type == PNG_COLOR_TYPE_PALETTE;
}

/// The orientation of the first chunk `eXIf` whose checksum is right; 1 without one.
static int png_orientation(const uint8_t *data, size_t size) {
  for (size_t at = 8; size - at >= 12;) {
    const size_t length = big_endian_32(data + at);
    if (length > size - at - 12) break;
    const uint8_t *body = data + at + 8;
    if (memcmp(data + at + 4, "eXIf", 4) == 0 &&
        crc32(0, data + at + 4, (uInt)length + 4) == big_endian_32(body + length)) {
      return exif_orientation(body, length);
    }
    at += length + 12;
  }
  return 1;
}

cpicture_status png_header(const uint8_t *data, size_t size, cpicture_header *header, const note *note) {
  if (size < HEADER_END + 4) {
    note_say(note, "the data ends within its header, after %zu bytes", size);
    return CPICTURE_DAMAGED;
  }
  if (big_endian_32(data + 8) != 13 || memcmp(data + 12, "IHDR", 4) != 0) {
    note_say(note, "its first chunk is not an image header");
    return CPICTURE_DAMAGED;
  }
  header->width = big_endian_32(data + 16);
  header->height = big_endian_32(data + 20);
  const uint8_t depth = data[24];
  const uint8_t color_type = data[25];
  const uint32_t samples = samples_per_pixel(color_type);
  if (header->width == 0 || header->height == 0 || header->width > PNG_UINT_31_MAX ||
      header->height > PNG_UINT_31_MAX) {
    note_say(note, "its header states an impossible size, %u x %u", header->width, header->height);
    return CPICTURE_DAMAGED;
  }
  if (samples == 0 || !depth_fits(color_type, depth)) {
    note_say(note, "its header states an impossible format, colour type %u with %u bits", color_type, depth);
    return CPICTURE_DAMAGED;
  }
  // A row, or all of them where they are interlaced; palettes and keyed grey become larger when expanded.
  const uint64_t row = (uint64_t)header->width * (samples + 1) * (depth == 16 ? 2 : 1);
  header->working_bytes = row * (data[28] != 0 ? header->height : 2) + 65536;
  header->orientation = (uint8_t)png_orientation(data, size);
  return CPICTURE_OK;
}

/// Whether `size` bytes of deflate could hold the picture that the header states.
static int could_hold(const uint8_t *data, size_t size, const canvas *canvas) {
  const uint64_t bits = (uint64_t)canvas->width * samples_per_pixel(data[25]) * data[24];
  // Dividing by the height, not multiplying by it, keeps 2^31 rows from overflowing.
  return (bits + 7) / 8 <= (uint64_t)size * DEFLATE_MAX_RATIO / canvas->height;
}

/// Everything a decode owns. It lives in the frame that frees it, outside the one that jumps back.
typedef struct decoder {
  const uint8_t *data;
  size_t size;
  size_t position;
  const canvas *canvas;
  const note *note;
  png_structp png;
  png_infop info;
  int color_count; ///< of the palette; 0 for a picture without one
  uint8_t colors[256][3];
  uint8_t *rows;
} decoder;

static void on_error(png_structp png, png_const_charp message) {
  note_say((const note *)png_get_error_ptr(png), "%s", message);
  png_longjmp(png, 1);
}

/// Most warnings are of chunks that have no say in the pixels. Transparency has.
static void on_warning(png_structp png, png_const_charp message) {
  if (strcmp(message, "tRNS: CRC error") == 0) png_error(png, message);
}

static void read_bytes(png_structp png, png_bytep bytes, size_t count) {
  decoder *self = (decoder *)png_get_io_ptr(png);
  if (count > self->size - self->position) png_error(png, "the data ends early");
  memcpy(bytes, self->data + self->position, count);
  self->position += count;
}

static uint64_t big_endian_16(const uint8_t *p) { return ((uint64_t)p[0] << 8) | p[1]; }

/// Blends a pixel of 16 bits a sample over the canvas's colour.
static void blend_16(const canvas *canvas, const uint8_t *color, int colors, uint64_t alpha, uint8_t *out) {
  const uint64_t unit = UINT64_C(65535) * 257;
  for (int c = 0; c < 3; c++) {
    const uint64_t value = big_endian_16(color + (colors == 3 ? 2 * c : 0));
    const uint64_t under = (uint64_t)canvas->under[c] * 257 * (65535 - alpha);
    out[c] = (uint8_t)((value * alpha + under + unit / 2) / unit);
  }
}

static void read_palette(decoder *self) {
  png_colorp colors = NULL;
  png_bytep alphas = NULL;
  int alpha_count = 0;
  if (png_get_PLTE(self->png, self->info, &colors, &self->color_count) == 0) {
    png_error(self->png, "the palette is missing");
  }
  (void)png_get_tRNS(self->png, self->info, &alphas, &alpha_count, NULL);
  for (int i = 0; i < self->color_count; i++) {
    const uint8_t color[3] = {colors[i].red, colors[i].green, colors[i].blue};
    canvas_blend(self->canvas, color, 3, i < alpha_count ? alphas[i] : 255, self->colors[i]);
  }
}

static void set_up(decoder *self) {
  png_structp png = self->png;
  png_set_read_fn(png, self, read_bytes);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  // Colour profiles, texts and the like are skipped, however long they are.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_chunk_malloc_max(png, 0);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
  // As every viewer does: chunks that make no sense are left out, and a window that the stream's header
  // understates is taken for the largest.
  png_set_benign_errors(png, 1);
  png_set_option(png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
  png_read_info(png, self->info);
  if (png_get_color_type(png, self->info) == PNG_COLOR_TYPE_PALETTE) {
    read_palette(self);
    png_set_packing(png); // an index a byte
  } else {
    png_set_expand(png); // 8 or 16 bits, colour keys as alpha
  }
}

static void convert_row(decoder *self, const uint8_t *row, uint32_t y) {
  const int channels = png_get_channels(self->png, self->info);
  const int bytes = png_get_bit_depth(self->png, self->info) == 16 ? 2 : 1;
  const int colors = channels >= 3 ? 3 : 1;
  run to = canvas_row(self->canvas, y);
  for (uint32_t x = 0; x < self->canvas->width; x++, row += channels * bytes, to.first += to.step) {
    if (self->color_count > 0) {
      if (*row >= self->color_count) png_error(self->png, "a pixel's colour is not in the palette");
      memcpy(to.first, self->colors[*row], 3);
    } else if (bytes == 2) {
      const uint64_t alpha = channels == colors ? 65535 : big_endian_16(row + 2 * colors);
      blend_16(self->canvas, row, colors, alpha, to.first);
    } else {
      canvas_blend(self->canvas, row, colors, channels == colors ? 255 : row[colors], to.first);
    }
  }
}

/// The decode proper. A jump from libpng lands here.
static cpicture_status decode(decoder *self) {
  png_structp png = self->png;
  if (setjmp(png_jmpbuf(png))) return CPICTURE_DAMAGED;
  set_up(self);
  const uint32_t height = self->canvas->height;
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, self->info);
  const size_t stride = png_get_rowbytes(png, self->info);
  const size_t kept = passes == 1 ? 1 : height; // interlaced rows are complete only at the end
  self->rows = (uint8_t *)malloc(stride * kept);
  if (self->rows == NULL) {
    note_say(self->note, "there is no memory for %zu rows of %zu bytes", kept, stride);
    return CPICTURE_NO_MEMORY;
  }
  for (int pass = 0; pass < passes; pass++) {
    for (uint32_t y = 0; y < height; y++) {
      uint8_t *row = self->rows + (kept == 1 ? 0 : y * stride);
      png_read_row(png, row, NULL);
      if (pass + 1 == passes) convert_row(self, row, y);
    }
  }
  png_read_end(png, NULL);
  return CPICTURE_OK;
}

cpicture_status png_decode(const uint8_t *data, size_t size, const canvas *canvas, const note *note) {
  decoder self = {.data = data, .size = size, .canvas = canvas, .note = note};
  if (!could_hold(data, size, canvas)) {
    note_say(note, "its header states %u x %u pixels, more than its %zu bytes can hold", canvas->width,
             canvas->height, size);
    return CPICTURE_DAMAGED;
  }
  cpicture_status status = CPICTURE_NO_MEMORY;
  self.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, (png_voidp)note, on_error, on_warning);
  if (self.png != NULL) self.info = png_create_info_struct(self.png);
  if (self.info == NULL) {
    note_say(note, "libpng could not be set up");
  } else {
    status = decode(&self);
  }
  png_destroy_read_struct(&self.png, &self.info, NULL);
  free(self.rows);
  return status;
}
