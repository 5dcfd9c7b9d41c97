/// PNG in and out of memory, through libpng.
///
/// libpng reports errors by longjmp; these functions catch them, free everything they took and
/// return a status and a sentence instead, so that no jump ever crosses a caller's frame.
/// They keep no state between calls and may be called from any thread.
#ifndef CPNG_H
#define CPNG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CPNG_API __attribute__((visibility("default")))
#else
#define CPNG_API
#endif

/// What became of a call.
typedef enum cpng_status {
  CPNG_OK = 0,
  CPNG_NOT_A_PNG = 1,   ///< the first bytes are not those of a PNG
  CPNG_DAMAGED = 2,     ///< truncated, a bad checksum, or contents that contradict the header
  CPNG_NO_MEMORY = 3,   ///< an allocation failed
  CPNG_BAD_ARGUMENT = 4 ///< the caller broke the rules below
} cpng_status;

/// The image header, as the file states it.
typedef struct cpng_header {
  uint32_t width;     ///< columns, at least 1
  uint32_t height;    ///< rows, at least 1
  uint8_t bit_depth;  ///< 1, 2, 4, 8 or 16
  uint8_t color_type; ///< 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha
  uint8_t interlaced; ///< 1 for Adam7
} cpng_header;

/// Room that always suffices for a message.
#define CPNG_MESSAGE_CAPACITY 256

/// Reads the header alone and allocates nothing.
///
/// The size is the file's claim: callers check it before they allocate for it.
/// On failure `message` (of `message_capacity` bytes, may be NULL) holds one phrase.
CPNG_API cpng_status cpng_read_header(const uint8_t *data, size_t size, cpng_header *header, char *message,
                                      size_t message_capacity);

/// Decodes a PNG of any colour type, bit depth and interlacing to 8-bit RGB.
///
/// Transparency is composited over `background` in the file's own sample values (no gamma).
/// Samples of 16 bits are rounded to 8, smaller ones scaled to the full range.
/// `pixels` receives height × width × 3 bytes, rows top to bottom; `pixels_size` must be exactly
/// that, with the sizes of `cpng_read_header`. A picture that `size` bytes could not possibly hold
/// is damaged. On failure the contents of `pixels` are undefined.
CPNG_API cpng_status cpng_decode_rgb(const uint8_t *data, size_t size, const uint8_t background[3],
                                     uint8_t *pixels, size_t pixels_size, char *message,
                                     size_t message_capacity);

/// Encodes 8-bit pixels, `channels` 1 (grey) or 3 (RGB), rows top to bottom without padding.
///
/// `level` is zlib's, 0 to 9. On success `*data` holds `*size` bytes that `cpng_free` releases;
/// on failure both are zero.
CPNG_API cpng_status cpng_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels,
                                 int level, uint8_t **data, size_t *size, char *message,
                                 size_t message_capacity);

/// Releases what `cpng_encode` returned; NULL is fine.
CPNG_API void cpng_free(uint8_t *data);

#ifdef __cplusplus
}
#endif
#endif
