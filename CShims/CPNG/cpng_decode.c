#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "cpng_internal.h"

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

cpng_status cpng_read_header(const uint8_t *data, size_t size, cpng_header *header, char *message,
                             size_t message_capacity) {
  const cpng_note note = {message, message_capacity};
  if (data == NULL || header == NULL) {
    cpng_say(&note, "no data was given");
    return CPNG_BAD_ARGUMENT;
  }
  memset(header, 0, sizeof *header);
  if (size < 8 || png_sig_cmp(data, 0, 8) != 0) {
    cpng_say(&note, "it does not begin with a PNG signature");
    return CPNG_NOT_A_PNG;
  }
  if (size < HEADER_END + 4) {
    cpng_say(&note, "the data ends within its header, after %zu bytes", size);
    return CPNG_DAMAGED;
  }
  if (big_endian_32(data + 8) != 13 || memcmp(data + 12, "IHDR", 4) != 0) {
    cpng_say(&note, "its first chunk is not an image header");
    return CPNG_DAMAGED;
  }
  header->width = big_endian_32(data + 16);
  header->height = big_endian_32(data + 20);
  header->bit_depth = data[24];
  header->color_type = data[25];
  header->interlaced = data[28] != 0;
  const uint32_t samples = samples_per_pixel(header->color_type);
  if (header->width == 0 || header->height == 0 || header->width > PNG_UINT_31_MAX ||
      header->height > PNG_UINT_31_MAX) {
    cpng_say(&note, "its header states an impossible size, %u x %u", header->width, header->height);
    return CPNG_DAMAGED;
  }
  if (samples == 0 || !depth_fits(header->color_type, header->bit_depth)) {
    cpng_say(&note, "its header states an impossible format, colour type %u with %u bits", header->color_type,
             header->bit_depth);
    return CPNG_DAMAGED;
  }
  return CPNG_OK;
}

/// Whether `size` bytes of deflate could hold the picture that the header states.
static int could_hold(size_t size, const cpng_header *header) {
  const uint64_t bits = (uint64_t)header->width * samples_per_pixel(header->color_type) * header->bit_depth;
  // Dividing by the height, not multiplying by it, keeps 2^31 rows from overflowing.
  return (bits + 7) / 8 <= (uint64_t)size * DEFLATE_MAX_RATIO / header->height;
}

static void composite_8(const uint8_t *row, size_t width, int channels, const uint8_t background[3],
                        uint8_t *out) {
  const int colors = channels >= 3 ? 3 : 1;
  for (size_t x = 0; x < width; x++, row += channels, out += 3) {
    const uint32_t alpha = channels == colors ? 255 : row[colors];
    for (int c = 0; c < 3; c++) {
      const uint32_t value = row[colors == 3 ? c : 0];
      out[c] = (uint8_t)((value * alpha + background[c] * (255 - alpha) + 127) / 255);
    }
  }
}

static uint64_t big_endian_16(const uint8_t *p) { return ((uint64_t)p[0] << 8) | p[1]; }

static void composite_16(const uint8_t *row, size_t width, int channels, const uint8_t background[3],
                         uint8_t *out) {
  const int colors = channels >= 3 ? 3 : 1;
  const uint64_t unit = UINT64_C(65535) * 257;
  for (size_t x = 0; x < width; x++, row += 2 * channels, out += 3) {
    const uint64_t alpha = channels == colors ? 65535 : big_endian_16(row + 2 * colors);
    for (int c = 0; c < 3; c++) {
      const uint64_t value = big_endian_16(row + (colors == 3 ? 2 * c : 0));
      const uint64_t under = (uint64_t)background[c] * 257 * (65535 - alpha);
      out[c] = (uint8_t)((value * alpha + under + unit / 2) / unit);
    }
  }
}

/// The colours of a palette over the background.
typedef struct palette {
  int count;
  uint8_t colors[256][3];
} palette;

static void read_palette(png_structp png, png_infop info, const uint8_t background[3], palette *out) {
  png_colorp colors = NULL;
  png_bytep alphas = NULL;
  int alpha_count = 0;
  if (png_get_PLTE(png, info, &colors, &out->count) == 0) png_error(png, "the palette is missing");
  (void)png_get_tRNS(png, info, &alphas, &alpha_count, NULL);
  for (int i = 0; i < out->count; i++) {
    const uint8_t entry[4] = {colors[i].red, colors[i].green, colors[i].blue,
                              i < alpha_count ? alphas[i] : 255};
    composite_8(entry, 1, 4, background, out->colors[i]);
  }
}

static void look_up(png_structp png, const uint8_t *row, size_t width, const palette *palette, uint8_t *out) {
  for (size_t x = 0; x < width; x++, out += 3) {
    if (row[x] >= palette->count) png_error(png, "a pixel's colour is not in the palette");
    memcpy(out, palette->colors[row[x]], 3);
  }
}

/// Everything a decode owns. It lives in the frame that frees it, outside the one that jumps back.
typedef struct decoder {
  const uint8_t *data;
  size_t size;
  size_t position;
  const uint8_t *background;
  uint8_t *pixels;
  size_t pixels_size;
  cpng_note note;
  png_structp png;
  png_infop info;
  palette palette;
  uint8_t *rows;
  cpng_status failure;
} decoder;

static void read_bytes(png_structp png, png_bytep bytes, size_t count) {
  decoder *self = (decoder *)png_get_io_ptr(png);
  if (count > self->size - self->position) png_error(png, "the data ends early");
  memcpy(bytes, self->data + self->position, count);
  self->position += count;
}

/// Colour profiles, texts and the like have no say in the pixels: they are checked, not parsed.
static void skip_ancillary_chunks(png_structp png) {
  static const uint8_t names[] =
      "bKGD\0cHRM\0cICP\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0"
      "sRGB\0sTER\0tEXt\0tIME\0zTXt";
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, names, (int)(sizeof names / 5));
}

static void set_up(decoder *self) {
  png_structp png = self->png;
  png_set_read_fn(png, self, read_bytes);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_benign_errors(png, 0);
  skip_ancillary_chunks(png);
  png_read_info(png, self->info);
  if (png_get_color_type(png, self->info) == PNG_COLOR_TYPE_PALETTE) {
    read_palette(png, self->info, self->background, &self->palette);
    png_set_packing(png); // an index a byte
  } else {
    png_set_expand(png); // 8 or 16 bits, colour keys as alpha
  }
}

static void convert_row(decoder *self, const uint8_t *row, size_t y) {
  const size_t width = png_get_image_width(self->png, self->info);
  const int channels = png_get_channels(self->png, self->info);
  uint8_t *out = self->pixels + y * width * 3;
  if (self->palette.count > 0) {
    look_up(self->png, row, width, &self->palette, out);
  } else if (png_get_bit_depth(self->png, self->info) == 16) {
    composite_16(row, width, channels, self->background, out);
  } else {
    composite_8(row, width, channels, self->background, out);
  }
}

/// The decode proper. A jump from libpng lands here and leaves through `failure`.
static cpng_status decode(decoder *self) {
  png_structp png = self->png;
  if (setjmp(png_jmpbuf(png))) return self->failure;
  set_up(self);
  const size_t width = png_get_image_width(png, self->info);
  const size_t height = png_get_image_height(png, self->info);
  if (self->pixels_size / 3 / width != height || self->pixels_size != width * height * 3) {
    cpng_say(&self->note, "the buffer is not of %zu x %zu x 3 bytes", height, width);
    return CPNG_BAD_ARGUMENT;
  }
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, self->info);
  const size_t stride = png_get_rowbytes(png, self->info);
  const size_t kept = passes == 1 ? 1 : height; // interlaced rows are complete only at the end
  self->rows = (uint8_t *)malloc(stride * kept);
  if (self->rows == NULL) {
    cpng_say(&self->note, "there is no memory for %zu rows of %zu bytes", kept, stride);
    return CPNG_NO_MEMORY;
  }
  for (int pass = 0; pass < passes; pass++) {
    for (size_t y = 0; y < height; y++) {
      uint8_t *row = self->rows + (kept == 1 ? 0 : y * stride);
      png_read_row(png, row, NULL);
      if (pass + 1 == passes) convert_row(self, row, y);
    }
  }
  png_read_end(png, NULL);
  return CPNG_OK;
}

cpng_status cpng_decode_rgb(const uint8_t *data, size_t size, const uint8_t background[3], uint8_t *pixels,
                            size_t pixels_size, char *message, size_t message_capacity) {
  decoder self = {
      .data = data,
      .size = size,
      .background = background,
      .pixels = pixels,
      .pixels_size = pixels_size,
      .note = {message, message_capacity},
      .failure = CPNG_DAMAGED,
  };
  if (pixels == NULL || background == NULL) {
    cpng_say(&self.note, "no buffer was given");
    return CPNG_BAD_ARGUMENT;
  }
  cpng_header header;
  cpng_status status = cpng_read_header(data, size, &header, message, message_capacity);
  if (status != CPNG_OK) return status;
  if (!could_hold(size, &header)) {
    cpng_say(&self.note, "its header states %u x %u pixels, more than its %zu bytes can hold", header.width,
             header.height, size);
    return CPNG_DAMAGED;
  }
  self.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &self.note, cpng_on_error, cpng_on_warning);
  if (self.png != NULL) self.info = png_create_info_struct(self.png);
  if (self.info == NULL) {
    cpng_say(&self.note, "libpng could not be set up");
    status = CPNG_NO_MEMORY;
  } else {
    status = decode(&self);
  }
  png_destroy_read_struct(&self.png, &self.info, NULL);
  free(self.rows);
  return status;
}
