#ifndef CPICTURE_INTERNAL_H
#define CPICTURE_INTERNAL_H

#include "cpicture.h"

/// Where an error's sentence goes.
typedef struct note {
  char *text;
  size_t capacity;
} note;

/// Writes a sentence into the caller's buffer, cut to fit.
void note_say(const note *note, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// The picture that a decoder fills row by row.
typedef struct canvas {
  uint8_t *pixels;  ///< height × width × 3 bytes, as the picture is shown
  uint32_t width;   ///< columns as they are stored in the file
  uint32_t height;  ///< rows as they are stored in the file
  int orientation;  ///< Exif's, 1 to 8
  uint8_t under[3]; ///< the colour that shows through transparency
} canvas;

/// Where a canvas keeps pixel `x` of stored row `y`, and how far it is from there to the next pixel.
typedef struct run {
  uint8_t *first;
  ptrdiff_t step;
} run;

/// The place of a stored row on the canvas.
run canvas_row(const canvas *canvas, uint32_t y);

/// Writes a pixel of `colors` 1 (grey) or 3 channels and an alpha from 0 to 255 over the canvas's colour.
static inline void canvas_blend(const canvas *canvas, const uint8_t *color, int colors, uint32_t alpha,
                                uint8_t *out) {
  for (int c = 0; c < 3; c++) {
    const uint32_t value = color[colors == 3 ? c : 0];
    out[c] = alpha == 255 ? (uint8_t)value
                          : (uint8_t)((value * alpha + canvas->under[c] * (255 - alpha) + 127) / 255);
  }
}

/// The orientation in a block of Exif, with or without its name before it; 1 where it says nothing that can
/// be.
int exif_orientation(const uint8_t *data, size_t size);

/// Each format's header and decoder. `canvas` has the sizes and the orientation of the header.
cpicture_status png_header(const uint8_t *data, size_t size, cpicture_header *header, const note *note);
cpicture_status png_decode(const uint8_t *data, size_t size, const canvas *canvas, const note *note);
cpicture_status jpeg_header(const uint8_t *data, size_t size, cpicture_header *header, const note *note);
cpicture_status jpeg_decode(const uint8_t *data, size_t size, const canvas *canvas, const note *note);
cpicture_status webp_header(const uint8_t *data, size_t size, cpicture_header *header, const note *note);
cpicture_status webp_decode(const uint8_t *data, size_t size, const canvas *canvas, const note *note);

#endif
