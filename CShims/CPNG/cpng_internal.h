#ifndef CPNG_INTERNAL_H
#define CPNG_INTERNAL_H

#include <png.h>

#include "cpng.h"

/// Where libpng's error handler leaves its sentence.
typedef struct cpng_note {
  char *text;
  size_t capacity;
} cpng_note;

/// Writes a sentence into the caller's buffer, cut to fit.
void cpng_say(const cpng_note *note, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// libpng's error handler: notes the message and jumps. Its error pointer is a `cpng_note`.
void cpng_on_error(png_structp png, png_const_charp message);

/// libpng's warning handler: warnings are dropped.
void cpng_on_warning(png_structp png, png_const_charp message);

#endif
