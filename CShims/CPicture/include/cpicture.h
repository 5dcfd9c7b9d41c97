/// Pictures in and out of memory: PNG through libpng, JPEG through libjpeg-turbo, WebP through libwebp.
///
/// libpng and libjpeg report errors by longjmp; these functions catch them, free everything they took and
/// return a status and a sentence instead, so that no jump ever crosses a caller's frame.
/// They keep no state between calls and may be called from any thread.
#ifndef CPICTURE_H
#define CPICTURE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CPICTURE_API __attribute__((visibility("default")))
#else
#define CPICTURE_API
#endif

/// What became of a call.
typedef enum cpicture_status {
  CPICTURE_OK = 0,
  CPICTURE_UNKNOWN = 1,     ///< the first bytes are those of no known format
  CPICTURE_DAMAGED = 2,     ///< truncated, a bad checksum, or contents that contradict the header
  CPICTURE_UNSUPPORTED = 3, ///< a picture of a kind that is not read, such as an animation
  CPICTURE_NO_MEMORY = 4,   ///< an allocation failed
  CPICTURE_BAD_ARGUMENT = 5 ///< the caller broke the rules below
} cpicture_status;

/// The formats that are read.
typedef enum cpicture_format {
  CPICTURE_NONE = 0,
  CPICTURE_PNG = 1,
  CPICTURE_JPEG = 2,
  CPICTURE_WEBP = 3
} cpicture_format;

/// What a file's header states.
typedef struct cpicture_header {
  cpicture_format format;
  uint32_t width;         ///< columns as the picture is shown, its orientation applied; at least 1
  uint32_t height;        ///< rows likewise
  uint8_t orientation;    ///< Exif's, 1 to 8; 1 where the file says nothing
  uint64_t working_bytes; ///< the most that decoding allocates beside the pixels, about
} cpicture_header;

/// Room that always suffices for a message.
#define CPICTURE_MESSAGE_CAPACITY 256

/// The format that data begins as.
CPICTURE_API cpicture_format cpicture_format_of(const uint8_t *data, size_t size);

/// Reads the header alone and allocates nothing for the picture.
///
/// The size is the file's claim: callers check it before they allocate for it.
/// On failure `message` (of `message_capacity` bytes, may be NULL) holds one phrase; `header->format` is set
/// all the same.
CPICTURE_API cpicture_status cpicture_read_header(const uint8_t *data, size_t size, cpicture_header *header,
                                                  char *message, size_t message_capacity);

/// Decodes a picture to 8-bit RGB, with its Exif orientation applied.
///
/// PNG of any colour type, bit depth and interlacing; of an animated one the still picture. JPEG baseline,
/// progressive and arithmetic, in grey, RGB, YCbCr, CMYK and YCCK (inverted, as Adobe writes them). WebP with
/// and without loss. Transparency is composited over `background` in the file's own sample values (no gamma);
/// samples of 16 bits are rounded to 8, smaller ones scaled to the full range. `pixels` receives height ×
/// width × 3 bytes, rows top to bottom; `pixels_size` must be exactly that, with the sizes of
/// `cpicture_read_header`. On failure the contents of `pixels` are undefined.
CPICTURE_API cpicture_status cpicture_decode_rgb(const uint8_t *data, size_t size,
                                                 const uint8_t background[3], uint8_t *pixels,
                                                 size_t pixels_size, char *message, size_t message_capacity);

/// Encodes 8-bit pixels as a PNG, `channels` 1 (grey) or 3 (RGB), rows top to bottom without padding.
///
/// `level` is zlib's, 0 to 9. On success `*data` holds `*size` bytes that `cpicture_free` releases;
/// on failure both are zero.
CPICTURE_API cpicture_status cpicture_encode_png(const uint8_t *pixels, uint32_t width, uint32_t height,
                                                 int channels, int level, uint8_t **data, size_t *size,
                                                 char *message, size_t message_capacity);

/// Encodes 8-bit RGB pixels as a baseline JPEG of `quality` 1 to 100; colour is kept at full resolution from
/// 90 on, at half below. Else as `cpicture_encode_png`.
CPICTURE_API cpicture_status cpicture_encode_jpeg(const uint8_t *pixels, uint32_t width, uint32_t height,
                                                  int quality, uint8_t **data, size_t *size, char *message,
                                                  size_t message_capacity);

/// Releases what the encoders returned; NULL is fine.
CPICTURE_API void cpicture_free(uint8_t *data);

#ifdef __cplusplus
}
#endif
#endif
