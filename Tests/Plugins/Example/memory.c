#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "example.h"

posed_status example_refuse(posed_error *error, posed_status status, const char *format, ...) {
  if (error) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
  }
  return status;
}

/* ---- Buffers --------------------------------------------------------------------------------- */

/* Reserves `bytes` of the device's limit, then allocates them; NULL where either fails. */
void *example_allocate(posed_device *device, uint64_t bytes) {
  uint64_t used = atomic_fetch_add(&device->used, bytes);
  bool fits = device->limit == 0 || (used <= device->limit && bytes <= device->limit - used);
  void *memory = NULL;
  if (fits && bytes < SIZE_MAX / 2) memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!memory) atomic_fetch_sub(&device->used, bytes);
  return memory;
}

void example_free(posed_device *device, void *memory, uint64_t bytes) {
  if (memory) atomic_fetch_sub(&device->used, bytes);
  free(memory);
}

posed_status example_buffer_create(posed_device *device, uint64_t bytes, posed_buffer **buffer,
                                   posed_error *error) {
  posed_buffer *made = calloc(1, sizeof *made);
  if (made) made->data = example_allocate(device, bytes);
  if (!made || !made->data) {
    free(made);
    return example_refuse(
        error, POSED_OUT_OF_MEMORY, "a buffer of %llu bytes does not fit: %llu of %llu are in use",
        (unsigned long long)bytes, (unsigned long long)device->used, (unsigned long long)device->limit);
  }
  made->bytes = bytes;
  *buffer = made;
  return POSED_OK;
}

void example_buffer_destroy(posed_device *device, posed_buffer *buffer) {
  if (!buffer) return;
  example_free(device, buffer->data, buffer->bytes);
  free(buffer);
}

void *example_buffer_map(posed_device *device, posed_buffer *buffer) {
  (void)device;
  return buffer->data;
}

static posed_status check_transfer(const posed_stream *stream, const posed_buffer *buffer, uint64_t offset,
                                   uint64_t bytes, posed_error *error) {
  if (stream->capturing) return example_refuse(error, POSED_INVALID_ARGUMENT, "transfers cannot be recorded");
  if (!buffer || offset > buffer->bytes || bytes > buffer->bytes - offset)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "%llu bytes at %llu do not lie in a buffer of %llu",
                          (unsigned long long)bytes, (unsigned long long)offset,
                          (unsigned long long)(buffer ? buffer->bytes : 0));
  return POSED_OK;
}

posed_status example_upload(posed_stream *stream, posed_buffer *to, uint64_t offset, const void *from,
                            uint64_t bytes, posed_error *error) {
  posed_status status = check_transfer(stream, to, offset, bytes, error);
  if (status == POSED_OK && bytes) memcpy(to->data + offset, from, bytes);
  return status;
}

posed_status example_download(posed_stream *stream, void *to, posed_buffer *from, uint64_t offset,
                              uint64_t bytes, posed_error *error) {
  posed_status status = check_transfer(stream, from, offset, bytes, error);
  if (status == POSED_OK && bytes) memcpy(to, from->data + offset, bytes);
  return status;
}

/* ---- Weights --------------------------------------------------------------------------------- */

static float half_to_float(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
  uint32_t exponent = half >> 10 & 31u, fraction = half & 0x3ffu;
  float value;
  if (exponent == 0) { /* zero, or a multiple of 2^-24 */
    value = (float)fraction * 0x1p-24f;
    return sign ? -value : value;
  }
  uint32_t bits = exponent == 31 ? 0x7f800000u : (exponent + 112) << 23;
  bits |= sign | fraction << 13;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Element `index` of a host array of `dtype` at any address. */
static float host_element(const void *data, uint32_t dtype, size_t index) {
  const uint8_t *bytes = data;
  float value;
  if (dtype == POSED_F32) {
    memcpy(&value, bytes + index * 4, 4);
    return value;
  }
  uint16_t half;
  memcpy(&half, bytes + index * 2, 2);
  if (dtype == POSED_F16) return half_to_float(half);
  uint32_t bits = (uint32_t)half << 16;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static posed_status check_filter(const posed_conv2d_weight_desc *d, posed_error *error) {
  if (!d->data || d->out < 1 || d->in < 1 || d->kernel_h < 1 || d->kernel_w < 1 || d->stride_h < 1 ||
      d->stride_w < 1 || d->pad_top < 0 || d->pad_left < 0 || d->pad_bottom < 0 || d->pad_right < 0)
    return example_refuse(error, POSED_INVALID_ARGUMENT,
                          "a filter of %d×%d channels, kernel %d×%d, stride %d×%d makes no sense", d->out,
                          d->in, d->kernel_h, d->kernel_w, d->stride_h, d->stride_w);
  bool same = d->kernel_h == 3 && d->kernel_w == 3 && d->stride_h == 1 && d->stride_w == 1 &&
              d->pad_top == 1 && d->pad_left == 1 && d->pad_bottom == 1 && d->pad_right == 1;
  if (d->upsample != 1 && !(d->upsample == 2 && same))
    return example_refuse(error, POSED_INVALID_ARGUMENT,
                          "an enlargement by 2 takes a 3×3 kernel, stride 1 and padding 1");
  if (d->dtype < POSED_F32 || d->dtype > POSED_BF16)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "weights of type %u are not known", d->dtype);
  if (d->compute != POSED_F32)
    return example_refuse(error, POSED_UNSUPPORTED, "the example computes in float32 only");
  return POSED_OK;
}

posed_status example_conv2d_weight(posed_device *device, const posed_conv2d_weight_desc *desc,
                                   posed_weight **weight, posed_error *error) {
  posed_status status = check_filter(desc, error);
  if (status != POSED_OK) return status;
  size_t out = (size_t)desc->out, in = (size_t)desc->in;
  size_t taps = (size_t)desc->kernel_h * (size_t)desc->kernel_w;
  posed_weight *made = calloc(1, sizeof *made);
  if (made) {
    made->bytes = (out * taps * in + out) * sizeof(float);
    made->data = example_allocate(device, made->bytes);
  }
  if (!made || !made->data) {
    free(made);
    return example_refuse(error, POSED_OUT_OF_MEMORY, "no room for a weight of %zu×%zu×%zu", out, taps, in);
  }
  made->bias = made->data + out * taps * in;
  made->is_filter = true;
  made->shape = *desc;
  for (size_t o = 0; o < out; o++) {
    made->bias[o] = desc->bias ? desc->bias[o] : 0;
    for (size_t c = 0; c < in; c++)
      for (size_t tap = 0; tap < taps; tap++)
        made->data[(o * taps + tap) * in + c] =
            host_element(desc->data, desc->dtype, (o * in + c) * taps + tap);
  }
  *weight = made;
  return POSED_OK;
}

posed_status example_linear_weight(posed_device *device, const posed_linear_weight_desc *desc,
                                   posed_weight **weight, posed_error *error) {
  if (desc->out < 1 || desc->in < 1 || desc->out > INT32_MAX || desc->in > INT32_MAX)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "a matrix of %lld×%lld makes no sense",
                          (long long)desc->out, (long long)desc->in);
  posed_conv2d_weight_desc filter = {
      .data = desc->data,
      .dtype = desc->dtype,
      .bias = desc->bias,
      .out = (int32_t)desc->out,
      .in = (int32_t)desc->in,
      .kernel_h = 1,
      .kernel_w = 1,
      .stride_h = 1,
      .stride_w = 1,
      .upsample = 1,
      .compute = desc->compute,
  };
  posed_weight *made = NULL;
  posed_status status = example_conv2d_weight(device, &filter, &made, error);
  if (status != POSED_OK) return status;
  made->is_filter = false;
  *weight = made;
  return POSED_OK;
}

void example_weight_destroy(posed_device *device, posed_weight *weight) {
  if (!weight) return;
  example_free(device, weight->data, weight->bytes);
  free(weight);
}

uint64_t example_weight_bytes(const posed_weight *weight) { return weight->bytes; }
