#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

#include "internal.h"

/// "RIFF", length, "WEBP".
enum { FILE_HEADER = 12 };

static uint32_t little_endian_32(const uint8_t *p) {
  return p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

/// The orientation of the first chunk `EXIF`; 1 without one.
static int webp_orientation(const uint8_t *data, size_t size) {
  for (size_t at = FILE_HEADER; at + 8 <= size;) {
    const size_t length = little_endian_32(data + at + 4);
    if (length > size - at - 8) break;
    if (memcmp(data + at, "EXIF", 4) == 0) return exif_orientation(data + at + 8, length);
    at += 8 + length + (length & 1);
  }
  return 1;
}

/// A status of libwebp's as one of ours, with a sentence.
static cpicture_status explain(VP8StatusCode code, const note *note) {
  switch (code) {
  case VP8_STATUS_OK:
    return CPICTURE_OK;
  case VP8_STATUS_OUT_OF_MEMORY:
    note_say(note, "there is no memory to decode it");
    return CPICTURE_NO_MEMORY;
  case VP8_STATUS_NOT_ENOUGH_DATA:
    note_say(note, "the data ends early");
    return CPICTURE_DAMAGED;
  case VP8_STATUS_UNSUPPORTED_FEATURE:
    note_say(note, "it uses a feature that libwebp does not read");
    return CPICTURE_UNSUPPORTED;
  default:
    note_say(note, "its contents are no picture");
    return CPICTURE_DAMAGED;
  }
}

cpicture_status webp_header(const uint8_t *data, size_t size, cpicture_header *header, const note *note) {
  WebPBitstreamFeatures features;
  const VP8StatusCode code = WebPGetFeatures(data, size, &features);
  if (code != VP8_STATUS_OK) return explain(code, note);
  if (features.has_animation) {
    note_say(note, "it is an animation, a still picture was expected");
    return CPICTURE_UNSUPPORTED;
  }
  if (features.width <= 0 || features.height <= 0) {
    note_say(note, "its header states no size");
    return CPICTURE_DAMAGED;
  }
  header->width = (uint32_t)features.width;
  header->height = (uint32_t)features.height;
  header->orientation = (uint8_t)webp_orientation(data, size);
  // The picture with its transparency, and about as much again while it is decoded.
  header->working_bytes = (uint64_t)features.width * (uint64_t)features.height * 8 + 262144;
  return CPICTURE_OK;
}

cpicture_status webp_decode(const uint8_t *data, size_t size, const canvas *canvas, const note *note) {
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) {
    note_say(note, "libwebp could not be set up");
    return CPICTURE_NO_MEMORY;
  }
  const size_t stride = (size_t)canvas->width * 4;
  uint8_t *pixels = (uint8_t *)malloc(stride * canvas->height);
  if (pixels == NULL) {
    note_say(note, "there is no memory for %u rows of %zu bytes", canvas->height, stride);
    return CPICTURE_NO_MEMORY;
  }
  config.output.colorspace = MODE_RGBA;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = pixels;
  config.output.u.RGBA.stride = (int)stride;
  config.output.u.RGBA.size = stride * canvas->height;
  const cpicture_status status = explain(WebPDecode(data, size, &config), note);
  if (status == CPICTURE_OK) {
    for (uint32_t y = 0; y < canvas->height; y++) {
      const uint8_t *from = pixels + y * stride;
      run to = canvas_row(canvas, y);
      for (uint32_t x = 0; x < canvas->width; x++, from += 4, to.first += to.step) {
        canvas_blend(canvas, from, 3, from[3], to.first);
      }
    }
  }
  WebPFreeDecBuffer(&config.output);
  free(pixels);
  return status;
}
