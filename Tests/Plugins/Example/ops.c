#include <math.h>

#include "example.h"

/* The address of an element; unused indices are 0. Everything has been checked before. */
static float *at(const posed_tensor *t, int64_t i, int64_t j, int64_t k, int64_t l) {
  const int64_t index[4] = {i, j, k, l};
  int64_t place = 0;
  for (uint32_t axis = 0; axis < t->rank && axis < 4; axis++) place += index[axis] * t->stride[axis];
  return (float *)(void *)(t->buffer->data + t->offset_bytes) + place;
}

static float activation(uint32_t kind, float x) {
  switch (kind) {
  case POSED_ACT_RELU:
    return x < 0 ? 0 : x; /* a NaN stays one */
  case POSED_ACT_SILU:
    return x / (1 + expf(-x));
  case POSED_ACT_GELU_TANH:
    return 0.5f * x * (1 + tanhf(0.7978845608f * (x + 0.044715f * x * x * x)));
  case POSED_ACT_GELU_ERF:
    return 0.5f * x * erfcf(-x * 0.7071067812f);
  case POSED_ACT_TANH:
    return tanhf(x);
  default:
    return x;
  }
}

static float dot(const float *a, const float *b, int64_t count) {
  double sum = 0;
  for (int64_t k = 0; k < count; k++) sum += (double)a[k] * b[k];
  return (float)sum;
}

static void run_linear(const posed_linear_desc *d) {
  const posed_weight *w = d->weight;
  for (int64_t b = 0; b < d->y.shape[0]; b++)
    for (int64_t t = 0; t < d->y.shape[1]; t++) {
      const float *x = at(&d->x, b, t, 0, 0);
      for (int64_t n = 0; n < d->y.shape[2]; n++) {
        float value = dot(x, w->data + n * w->shape.in, w->shape.in) + w->bias[n];
        value = activation(d->activation, value);
        if (d->gate.buffer) value *= *at(&d->gate, b, n, 0, 0);
        if (d->residual.buffer) value += *at(&d->residual, b, t, n, 0);
        *at(&d->y, b, t, n, 0) = value;
      }
    }
}

/* The sum over the window of output pixel (i, j) and output channel o. */
static float window(const posed_conv2d_desc *d, int64_t n, int64_t i, int64_t j, int64_t o) {
  const posed_conv2d_weight_desc *w = &d->weight->shape;
  double sum = 0;
  for (int64_t a = 0; a < w->kernel_h; a++)
    for (int64_t b = 0; b < w->kernel_w; b++) {
      int64_t row = i * w->stride_h + a - w->pad_top, column = j * w->stride_w + b - w->pad_left;
      if (row < 0 || row >= d->x.shape[1] * w->upsample) continue;
      if (column < 0 || column >= d->x.shape[2] * w->upsample) continue;
      const float *x = at(&d->x, n, row / w->upsample, column / w->upsample, 0);
      sum += (double)dot(x, d->weight->data + ((o * w->kernel_h + a) * w->kernel_w + b) * w->in, w->in);
    }
  return (float)sum;
}

static void run_conv2d(const posed_conv2d_desc *d) {
  for (int64_t n = 0; n < d->y.shape[0]; n++)
    for (int64_t i = 0; i < d->y.shape[1]; i++)
      for (int64_t j = 0; j < d->y.shape[2]; j++)
        for (int64_t o = 0; o < d->y.shape[3]; o++) {
          float value = window(d, n, i, j, o) + d->weight->bias[o];
          if (d->residual.buffer) value += *at(&d->residual, n, i, j, o);
          *at(&d->y, n, i, j, o) = activation(d->activation, value);
        }
}

static void run_group_norm(const posed_group_norm_desc *d) {
  int64_t channels = d->x.shape[3], pixels = d->x.shape[1] * d->x.shape[2];
  int64_t width = channels / d->groups;
  double count = (double)(pixels * width);
  for (int64_t n = 0; n < d->x.shape[0]; n++)
    for (int64_t first = 0; first < channels; first += width) {
      const float *x = at(&d->x, n, 0, 0, 0);
      float *y = at(&d->y, n, 0, 0, 0);
      double mean = 0, variance = 0;
      for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = first; c < first + width; c++) mean += x[p * channels + c] / count;
      for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = first; c < first + width; c++) {
          double distance = x[p * channels + c] - mean;
          variance += distance * distance / count;
        }
      double scale = 1 / sqrt(variance + (double)d->eps);
      for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = first; c < first + width; c++) {
          float normal = (float)((x[p * channels + c] - mean) * scale);
          normal = normal * *at(&d->gamma, c, 0, 0, 0) + *at(&d->beta, c, 0, 0, 0);
          y[p * channels + c] = activation(d->activation, normal);
        }
    }
}

static void run_layer_norm(const posed_layer_norm_desc *d) {
  int64_t width = d->x.shape[2];
  for (int64_t b = 0; b < d->x.shape[0]; b++)
    for (int64_t t = 0; t < d->x.shape[1]; t++) {
      const float *x = at(&d->x, b, t, 0, 0);
      float *y = at(&d->y, b, t, 0, 0);
      double mean = 0, variance = 0;
      for (int64_t c = 0; c < width; c++) mean += x[c];
      mean /= (double)width;
      for (int64_t c = 0; c < width; c++) variance += (x[c] - mean) * (x[c] - mean);
      double scale = 1 / sqrt(variance / (double)width + (double)d->eps);
      for (int64_t c = 0; c < width; c++) {
        float normal = (float)((x[c] - mean) * scale);
        if (d->gamma.buffer) normal = normal * *at(&d->gamma, c, 0, 0, 0) + *at(&d->beta, c, 0, 0, 0);
        if (d->scale.buffer) normal = normal * (1 + *at(&d->scale, b, c, 0, 0)) + *at(&d->shift, b, c, 0, 0);
        y[c] = normal;
      }
    }
}

/* A softmax in one pass: the peak so far, the sum of exponentials and the weighted values, the two
 * rescaled whenever a greater score comes. y holds the values, so no memory is needed. */
typedef struct running {
  float peak, total, *y;
} running;

static void attend(running *state, float score, const float *v, int64_t size) {
  if (score > state->peak) {
    float shrink = expf(state->peak - score);
    state->total *= shrink;
    for (int64_t c = 0; c < size; c++) state->y[c] *= shrink;
    state->peak = score;
  }
  float weight = expf(score - state->peak);
  state->total += weight;
  for (int64_t c = 0; c < size; c++) state->y[c] += weight * v[c];
}

static void run_attention(const posed_attention_desc *d) {
  int64_t size = d->q.shape[3];
  for (int64_t b = 0; b < d->q.shape[0]; b++)
    for (int64_t i = 0; i < d->q.shape[1]; i++)
      for (int64_t h = 0; h < d->q.shape[2]; h++) {
        const float *q = at(&d->q, b, i, h, 0);
        running state = {-INFINITY, 0, at(&d->y, b, i, h, 0)};
        for (int64_t c = 0; c < size; c++) state.y[c] = 0;
        for (int64_t j = 0; j < d->k.shape[1]; j++) {
          float bias = d->bias.buffer ? *at(&d->bias, h, i, j, 0) : 0;
          float score = d->scale * dot(q, at(&d->k, b, j, h, 0), size) + bias;
          attend(&state, score, at(&d->v, b, j, h, 0), size);
        }
        const posed_kv *more = d->cached && d->cached[b].k.buffer ? &d->cached[b] : NULL;
        for (int64_t j = 0; more && j < more->k.shape[0]; j++)
          attend(&state, d->scale * dot(q, at(&more->k, j, h, 0, 0), size), at(&more->v, j, h, 0, 0), size);
        for (int64_t c = 0; c < size; c++) state.y[c] /= state.total;
      }
}

static int64_t count_of(const posed_tensor *t) {
  int64_t count = 1;
  for (uint32_t axis = 0; axis < t->rank; axis++) count *= t->shape[axis];
  return count;
}

static void run_copy(const posed_copy_desc *d) {
  int64_t size = d->x.dtype == POSED_U8 ? 1 : 4, count = count_of(&d->x);
  const uint8_t *from = d->x.buffer->data + d->x.offset_bytes;
  uint8_t *to = d->y.buffer->data + d->y.offset_bytes;
  for (int64_t index = 0; index < count; index++) {
    int64_t rest = index, source = 0, target = 0;
    for (uint32_t axis = d->x.rank; axis-- > 0; rest /= d->x.shape[axis]) {
      source += rest % d->x.shape[axis] * d->x.stride[axis];
      target += rest % d->x.shape[axis] * d->y.stride[axis];
    }
    for (int64_t byte = 0; byte < size; byte++) to[target * size + byte] = from[source * size + byte];
  }
}

static void run_combine(const posed_combine_desc *d) {
  int64_t count = count_of(&d->y);
  float *y = at(&d->y, 0, 0, 0, 0);
  for (int64_t index = 0; index < count; index++) {
    float sum = d->bias;
    for (uint32_t term = 0; term < d->count; term++)
      sum += d->coefficient[term] * at(&d->x[term], 0, 0, 0, 0)[index];
    y[index] = sum;
  }
}

static void run_activate(const posed_activate_desc *d) {
  int64_t count = count_of(&d->y);
  const float *x = at(&d->x, 0, 0, 0, 0);
  float *y = at(&d->y, 0, 0, 0, 0);
  for (int64_t index = 0; index < count; index++) y[index] = activation(d->activation, x[index]);
}

static void run_glu(const posed_glu_desc *d) {
  int64_t width = d->y.shape[2];
  for (int64_t b = 0; b < d->y.shape[0]; b++)
    for (int64_t t = 0; t < d->y.shape[1]; t++) {
      const float *x = at(&d->x, b, t, 0, 0);
      float *y = at(&d->y, b, t, 0, 0);
      for (int64_t c = 0; c < width; c++) y[c] = activation(d->activation, x[c]) * x[width + c];
    }
}

static void run_quantize(const posed_quantize_desc *d) {
  int64_t count = count_of(&d->y);
  const float *x = at(&d->x, 0, 0, 0, 0);
  uint8_t *y = d->y.buffer->data + d->y.offset_bytes;
  for (int64_t index = 0; index < count; index++) {
    float value = x[index] > -1 ? x[index] : -1; /* NaN too */
    if (value > 1) value = 1;
    y[index] = (uint8_t)rintf((value + 1) * 127.5f);
  }
}

void example_run(const example_op *op) {
  switch (op->kind) {
  case POSED_OP_LINEAR:
    run_linear(&op->desc.linear);
    break;
  case POSED_OP_CONV2D:
    run_conv2d(&op->desc.conv2d);
    break;
  case POSED_OP_GROUP_NORM:
    run_group_norm(&op->desc.group_norm);
    break;
  case POSED_OP_LAYER_NORM:
    run_layer_norm(&op->desc.layer_norm);
    break;
  case POSED_OP_ATTENTION:
    run_attention(&op->desc.attention);
    break;
  case POSED_OP_COPY:
    run_copy(&op->desc.copy);
    break;
  case POSED_OP_COMBINE:
    run_combine(&op->desc.combine);
    break;
  case POSED_OP_ACTIVATE:
    run_activate(&op->desc.activate);
    break;
  case POSED_OP_GLU:
    run_glu(&op->desc.glu);
    break;
  case POSED_OP_QUANTIZE:
    run_quantize(&op->desc.quantize);
    break;
  }
}
