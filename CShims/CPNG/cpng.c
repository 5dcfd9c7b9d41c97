#include "cpng.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpng_internal.h"

void cpng_say(const cpng_note *note, const char *format, ...) {
  if (note->text == NULL || note->capacity == 0) return;
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(note->text, note->capacity, format, arguments);
  va_end(arguments);
}

void cpng_on_error(png_structp png, png_const_charp message) {
  cpng_say((const cpng_note *)png_get_error_ptr(png), "%s", message);
  png_longjmp(png, 1);
}

void cpng_on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

void cpng_free(uint8_t *data) { free(data); }
