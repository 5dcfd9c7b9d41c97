// The files of the studio, a page for browsers, as they lie in studio/.
#ifndef POSED_STUDIO_H
#define POSED_STUDIO_H

#include <stddef.h>

// A file: its name, its media type, and its bytes.
typedef struct posed_studio_file {
  const char *name;
  const char *type;
  const unsigned char *bytes;
  size_t length;
} posed_studio_file;

// The files, one after the other; NULL after the last.
const posed_studio_file *posed_studio_file_at(size_t index);

#endif
