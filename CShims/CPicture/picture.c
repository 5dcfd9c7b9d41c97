#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

void note_say(const note *note, const char *format, ...) {
  if (note->text == NULL || note->capacity == 0) return;
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(note->text, note->capacity, format, arguments);
  va_end(arguments);
}

void cpicture_free(uint8_t *data) { free(data); }

cpicture_format cpicture_format_of(const uint8_t *data, size_t size) {
  if (data == NULL) return CPICTURE_NONE;
  if (size >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0) return CPICTURE_PNG;
  if (size >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0) return CPICTURE_JPEG;
  if (size >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0) return CPICTURE_WEBP;
  return CPICTURE_NONE;
}

/// The number of `count` bytes at `p`, in the order that the block of Exif declares.
static uint32_t exif_number(const uint8_t *p, int count, int is_little) {
  uint32_t value = 0;
  for (int i = 0; i < count; i++) value = value << 8 | p[is_little ? count - 1 - i : i];
  return value;
}

int exif_orientation(const uint8_t *data, size_t size) {
  enum { ORIENTATION = 0x0112, SHORT = 3, ENTRY = 12 };
  if (size >= 6 && memcmp(data, "Exif\0\0", 6) == 0) {
    data += 6;
    size -= 6;
  }
  if (size < 8) return 1;
  const int is_little = memcmp(data, "II", 2) == 0;
  if (!is_little && memcmp(data, "MM", 2) != 0) return 1;
  if (exif_number(data + 2, 2, is_little) != 42) return 1;
  const size_t directory = exif_number(data + 4, 4, is_little);
  if (directory > size - 2) return 1;
  const size_t entries = exif_number(data + directory, 2, is_little);
  for (size_t i = 0; i < entries; i++) {
    const size_t at = directory + 2 + i * ENTRY;
    if (at + ENTRY > size) return 1;
    const uint8_t *entry = data + at;
    if (exif_number(entry, 2, is_little) != ORIENTATION) continue;
    if (exif_number(entry + 2, 2, is_little) != SHORT) return 1;
    const uint32_t value = exif_number(entry + 8, 2, is_little);
    return value >= 1 && value <= 8 ? (int)value : 1;
  }
  return 1;
}

run canvas_row(const canvas *canvas, uint32_t y) {
  const size_t w = canvas->width;
  const size_t h = canvas->height;
  // From 5 on, a stored row is a column of the picture shown.
  const size_t shown = canvas->orientation >= 5 ? h : w;
  size_t column = 0;
  size_t row = 0;
  ptrdiff_t step = 1;
  switch (canvas->orientation) {
  case 2: // mirrored left to right
    column = w - 1, row = y, step = -1;
    break;
  case 3: // upside down
    column = w - 1, row = h - 1 - y, step = -1;
    break;
  case 4: // mirrored top to bottom
    column = 0, row = h - 1 - y, step = 1;
    break;
  case 5: // mirrored along the diagonal
    column = y, row = 0, step = (ptrdiff_t)shown;
    break;
  case 6: // to be turned clockwise
    column = h - 1 - y, row = 0, step = (ptrdiff_t)shown;
    break;
  case 7: // mirrored along the other diagonal
    column = h - 1 - y, row = w - 1, step = -(ptrdiff_t)shown;
    break;
  case 8: // to be turned anticlockwise
    column = y, row = w - 1, step = -(ptrdiff_t)shown;
    break;
  default:
    row = y;
    break;
  }
  const run run = {canvas->pixels + (row * shown + column) * 3, step * 3};
  return run;
}

cpicture_status cpicture_read_header(const uint8_t *data, size_t size, cpicture_header *header, char *message,
                                     size_t message_capacity) {
  const note note = {message, message_capacity};
  if (header == NULL) return CPICTURE_BAD_ARGUMENT;
  memset(header, 0, sizeof *header);
  header->orientation = 1;
  header->format = cpicture_format_of(data, size);
  cpicture_status status = CPICTURE_UNKNOWN;
  switch (header->format) {
  case CPICTURE_PNG:
    status = png_header(data, size, header, &note);
    break;
  case CPICTURE_JPEG:
    status = jpeg_header(data, size, header, &note);
    break;
  case CPICTURE_WEBP:
    status = webp_header(data, size, header, &note);
    break;
  default:
    note_say(&note, "it begins as neither a PNG, a JPEG nor a WebP does");
    return CPICTURE_UNKNOWN;
  }
  if (status == CPICTURE_OK && header->orientation >= 5) {
    const uint32_t width = header->width;
    header->width = header->height;
    header->height = width;
  }
  return status;
}

cpicture_status cpicture_decode_rgb(const uint8_t *data, size_t size, const uint8_t background[3],
                                    uint8_t *pixels, size_t pixels_size, char *message,
                                    size_t message_capacity) {
  const note note = {message, message_capacity};
  if (pixels == NULL || background == NULL) {
    note_say(&note, "no buffer was given");
    return CPICTURE_BAD_ARGUMENT;
  }
  cpicture_header header;
  const cpicture_status status = cpicture_read_header(data, size, &header, message, message_capacity);
  if (status != CPICTURE_OK) return status;
  const size_t width = header.width;
  const size_t height = header.height;
  if (pixels_size / 3 / width != height || pixels_size != width * height * 3) {
    note_say(&note, "the buffer is not of %zu x %zu x 3 bytes", height, width);
    return CPICTURE_BAD_ARGUMENT;
  }
  const int is_turned = header.orientation >= 5;
  canvas canvas = {
      .pixels = pixels,
      .width = is_turned ? header.height : header.width,
      .height = is_turned ? header.width : header.height,
      .orientation = header.orientation,
  };
  memcpy(canvas.under, background, 3);
  switch (header.format) {
  case CPICTURE_PNG:
    return png_decode(data, size, &canvas, &note);
  case CPICTURE_JPEG:
    return jpeg_decode(data, size, &canvas, &note);
  default:
    return webp_decode(data, size, &canvas, &note);
  }
}
