#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// After stdio.h, which it needs.
#include <jpeglib.h>
// After jpeglib.h, which says what it has.
#include <jerror.h>

#include "internal.h"

/// A progressive picture of more scans than this takes far more work than its size tells.
enum { MOST_SCANS = 100 };

/// Everything a decode owns. It lives in the frame that frees it, outside the one that jumps back.
typedef struct decoder {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_source_mgr source;
  struct jpeg_progress_mgr progress;
  jmp_buf back;
  const note *note;
  int has_ended; ///< whether more data was asked for than there is
  cpicture_status failure;
  uint8_t *row;
} decoder;

/// A sentence instead of libjpeg's.
static void fail(decoder *self, const char *message) {
  note_say(self->note, "%s", message);
  longjmp(self->back, 1);
}

static void on_error(j_common_ptr jpeg) {
  decoder *self = (decoder *)jpeg->client_data;
  char message[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, message);
  switch (jpeg->err->msg_code) {
  case JERR_OUT_OF_MEMORY:
    self->failure = CPICTURE_NO_MEMORY;
    fail(self, "there is no memory to decode it");
    break;
  case JERR_BAD_PRECISION:
  case JERR_SOF_UNSUPPORTED:
  case JERR_CONVERSION_NOTIMPL:
    self->failure = CPICTURE_UNSUPPORTED;
    fail(self, message);
    break;
  default:
    fail(self, message);
  }
}

/// Some warnings say that pixels are lost; the others are of things that have no say in them.
static void on_message(j_common_ptr jpeg, int level) {
  decoder *self = (decoder *)jpeg->client_data;
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
  case JWRN_HIT_MARKER:
  case JWRN_HUFF_BAD_CODE:
  case JWRN_ARITH_BAD_CODE:
  case JWRN_MUST_RESYNC:
    if (self->has_ended) fail(self, "the data ends early");
    on_error(jpeg);
    break;
  default:
    break;
  }
}

static void on_progress(j_common_ptr jpeg) {
  if (jpeg->is_decompressor && ((j_decompress_ptr)jpeg)->input_scan_number > MOST_SCANS) {
    fail((decoder *)jpeg->client_data, "it has more than 100 scans");
  }
}

static void begin_source(j_decompress_ptr jpeg) { (void)jpeg; }

/// All data is there from the beginning. What follows it reads as the marker of the picture's end.
static boolean fill_source(j_decompress_ptr jpeg) {
  static const JOCTET end[2] = {0xff, JPEG_EOI};
  ((decoder *)jpeg->client_data)->has_ended = 1;
  jpeg->src->next_input_byte = end;
  jpeg->src->bytes_in_buffer = sizeof end;
  return TRUE;
}

static void skip_source(j_decompress_ptr jpeg, long count) {
  struct jpeg_source_mgr *source = jpeg->src;
  if (count <= 0) return;
  if ((size_t)count > source->bytes_in_buffer) {
    (void)fill_source(jpeg);
    return;
  }
  source->next_input_byte += count;
  source->bytes_in_buffer -= (size_t)count;
}

static void end_source(j_decompress_ptr jpeg) { (void)jpeg; }

/// A decoder of `data` up to its first scan. Its errors jump to `back`, which the caller has set.
static void open_jpeg(decoder *self, const uint8_t *data, size_t size) {
  jpeg_create_decompress(&self->jpeg);
  self->source.init_source = begin_source;
  self->source.fill_input_buffer = fill_source;
  self->source.skip_input_data = skip_source;
  self->source.resync_to_restart = jpeg_resync_to_restart;
  self->source.term_source = end_source;
  self->source.next_input_byte = data;
  self->source.bytes_in_buffer = size;
  self->jpeg.src = &self->source;
  self->progress.progress_monitor = on_progress;
  self->jpeg.progress = &self->progress;
  jpeg_save_markers(&self->jpeg, JPEG_APP0 + 1, 0xffff);
  (void)jpeg_read_header(&self->jpeg, TRUE);
}

/// A decoder whose failures are written to `note`.
static void set_up(decoder *self, const note *note) {
  memset(self, 0, sizeof *self);
  self->note = note;
  self->failure = CPICTURE_DAMAGED;
  self->jpeg.err = jpeg_std_error(&self->errors);
  self->errors.error_exit = on_error;
  self->errors.emit_message = on_message;
  self->jpeg.client_data = self;
}

cpicture_status jpeg_header(const uint8_t *data, size_t size, cpicture_header *header, const note *note) {
  decoder self;
  set_up(&self, note);
  if (setjmp(self.back)) {
    jpeg_destroy_decompress(&self.jpeg);
    return self.failure;
  }
  open_jpeg(&self, data, size);
  header->width = self.jpeg.image_width;
  header->height = self.jpeg.image_height;
  for (jpeg_saved_marker_ptr marker = self.jpeg.marker_list; marker != NULL; marker = marker->next) {
    if (marker->data_length < 6 || memcmp(marker->data, "Exif\0\0", 6) != 0) continue;
    header->orientation = (uint8_t)exif_orientation(marker->data, marker->data_length);
    break;
  }
  // The coefficients of a picture in several scans are kept, two bytes each; else some rows of blocks.
  const uint64_t components = (uint64_t)self.jpeg.num_components;
  const uint64_t pixels = ((uint64_t)header->width + 64) * ((uint64_t)header->height + 64);
  const int keeps = jpeg_has_multiple_scans(&self.jpeg);
  header->working_bytes = (keeps ? 2 * pixels : 64 * ((uint64_t)header->width + 64)) * components + 262144;
  jpeg_destroy_decompress(&self.jpeg);
  return CPICTURE_OK;
}

/// a · b / 255, rounded.
static uint32_t share(uint32_t a, uint32_t b) {
  const uint32_t product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

static void convert_row(const decoder *self, const canvas *canvas, uint32_t y) {
  const uint8_t *from = self->row;
  run to = canvas_row(canvas, y);
  for (uint32_t x = 0; x < canvas->width; x++, to.first += to.step) {
    if (self->jpeg.out_color_space == JCS_CMYK) {
      // Adobe's values are inverted: 255 is no ink. Viewers take every CMYK to be so.
      for (int c = 0; c < 3; c++) to.first[c] = (uint8_t)(from[3] - share(255u - from[c], from[3]));
      from += 4;
    } else {
      memcpy(to.first, from, 3);
      from += 3;
    }
  }
}

/// The decode proper. A jump from libjpeg lands here.
static cpicture_status decode(decoder *self, const uint8_t *data, size_t size, const canvas *canvas) {
  if (setjmp(self->back)) return self->failure;
  open_jpeg(self, data, size);
  struct jpeg_decompress_struct *jpeg = &self->jpeg;
  const int is_ink = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
  jpeg->out_color_space = is_ink ? JCS_CMYK : JCS_RGB;
  // Arithmetic decoding goes on with zeros where the data ends; a picture in several scans does without the
  // missing ones. A single scan of Huffman codes is whole without the marker of the end.
  const int needs_end = jpeg->arith_code || jpeg_has_multiple_scans(jpeg);
  (void)jpeg_start_decompress(jpeg);
  if (jpeg->output_width != canvas->width || jpeg->output_height != canvas->height) {
    fail(self, "its size is not that of its header");
  }
  self->row = (uint8_t *)malloc((size_t)canvas->width * 4);
  if (self->row == NULL) {
    note_say(self->note, "there is no memory for a row");
    return CPICTURE_NO_MEMORY;
  }
  while (jpeg->output_scanline < jpeg->output_height) {
    const uint32_t y = jpeg->output_scanline;
    JSAMPROW rows[1] = {self->row};
    (void)jpeg_read_scanlines(jpeg, rows, 1);
    convert_row(self, canvas, y);
  }
  (void)jpeg_finish_decompress(jpeg);
  if (self->has_ended && needs_end) fail(self, "the data ends early");
  return CPICTURE_OK;
}

cpicture_status jpeg_decode(const uint8_t *data, size_t size, const canvas *canvas, const note *note) {
  decoder self;
  set_up(&self, note);
  const cpicture_status status = decode(&self, data, size, canvas);
  jpeg_destroy_decompress(&self.jpeg);
  free(self.row);
  return status;
}
