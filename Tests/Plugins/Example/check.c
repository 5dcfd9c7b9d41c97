#include "example.h"

/* Every check answers POSED_OK or refuses with a sentence. `TRY` passes a refusal on. */
#define TRY(call)                                                                                            \
  do {                                                                                                       \
    posed_status status_ = (call);                                                                           \
    if (status_ != POSED_OK) return status_;                                                                 \
  } while (0)

bool example_known_activation(uint32_t activation) { return activation <= POSED_ACT_TANH; }

static posed_status check_activation(uint32_t activation, posed_error *error) {
  if (example_known_activation(activation)) return POSED_OK;
  return example_refuse(error, POSED_INVALID_ARGUMENT, "activation %u is not known", activation);
}

/* A view of the given type and rank that lies in its buffer; `free_inner`: any innermost stride. */
static posed_status check_view(const posed_tensor *t, const char *name, uint32_t dtype, uint32_t rank,
                               bool free_inner, posed_error *error) {
  if (!t->buffer) return example_refuse(error, POSED_INVALID_ARGUMENT, "%s is missing", name);
  if (t->rank != rank)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "%s has rank %u, expected %u", name, t->rank, rank);
  if (t->dtype < POSED_F32 || t->dtype > POSED_U8)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "%s has the unknown type %u", name, t->dtype);
  if (t->dtype != dtype)
    return example_refuse(error, POSED_UNSUPPORTED, "%s has type %u; the example takes %u", name, t->dtype,
                          dtype);
  int64_t size = dtype == POSED_F32 ? 4 : 1, last = 0;
  bool bad = t->offset_bytes % (uint64_t)size != 0;
  for (uint32_t k = 0; k < rank; k++) {
    int64_t reach;
    bad |= t->shape[k] < 1 || t->stride[k] < 0;
    bad |= __builtin_mul_overflow(t->shape[k] - 1, t->stride[k], &reach);
    bad |= __builtin_add_overflow(last, reach, &last);
  }
  uint64_t bytes = t->buffer->bytes, end;
  bad |= bad || __builtin_mul_overflow((uint64_t)last + 1, (uint64_t)size, &end);
  if (bad || end > bytes || t->offset_bytes > bytes - end)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "%s does not lie in its buffer of %llu bytes", name,
                          (unsigned long long)bytes);
  if (!free_inner && t->stride[rank - 1] != 1 && t->shape[rank - 1] != 1)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "the last stride of %s is %lld, expected 1", name,
                          (long long)t->stride[rank - 1]);
  return POSED_OK;
}

static posed_status check_float(const posed_tensor *t, const char *name, uint32_t rank, posed_error *error) {
  return check_view(t, name, POSED_F32, rank, false, error);
}

static posed_status check_shape(const posed_tensor *t, const char *name, const int64_t *shape,
                                posed_error *error) {
  for (uint32_t k = 0; k < t->rank; k++)
    if (t->shape[k] != shape[k])
      return example_refuse(error, POSED_INVALID_ARGUMENT, "dimension %u of %s is %lld, expected %lld", k,
                            name, (long long)t->shape[k], (long long)shape[k]);
  return POSED_OK;
}

static posed_status check_dense(const posed_tensor *t, const char *name, posed_error *error) {
  int64_t stride = 1;
  for (uint32_t k = t->rank; k-- > 0; stride *= t->shape[k])
    if (t->shape[k] != 1 && t->stride[k] != stride)
      return example_refuse(error, POSED_INVALID_ARGUMENT, "%s has gaps, expected a dense tensor", name);
  return POSED_OK;
}

/* A float32 tensor of exactly this shape. */
static posed_status check_tensor(const posed_tensor *t, const char *name, uint32_t rank, const int64_t *shape,
                                 posed_error *error) {
  TRY(check_float(t, name, rank, error));
  return check_shape(t, name, shape, error);
}

static posed_status check_linear(const posed_linear_desc *d, posed_error *error) {
  if (!d->weight || d->weight->is_filter)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "linear takes a matrix as its weight");
  TRY(check_activation(d->activation, error));
  TRY(check_float(&d->x, "x", 3, error));
  const int64_t *x = d->x.shape;
  int64_t in = d->weight->shape.in, out = d->weight->shape.out;
  if (x[2] != in)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "x has %lld features, the weight takes %lld",
                          (long long)x[2], (long long)in);
  int64_t y[3] = {x[0], x[1], out}, gate[2] = {x[0], out};
  TRY(check_tensor(&d->y, "y", 3, y, error));
  if (d->gate.buffer) TRY(check_tensor(&d->gate, "gate", 2, gate, error));
  if (d->residual.buffer) TRY(check_tensor(&d->residual, "residual", 3, y, error));
  return POSED_OK;
}

static posed_status check_conv2d(const posed_conv2d_desc *d, posed_error *error) {
  if (!d->weight || !d->weight->is_filter)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "conv2d takes a filter as its weight");
  const posed_conv2d_weight_desc *w = &d->weight->shape;
  TRY(check_activation(d->activation, error));
  TRY(check_float(&d->x, "x", 4, error));
  TRY(check_dense(&d->x, "x", error));
  const int64_t *x = d->x.shape;
  int64_t height = x[1] * w->upsample + w->pad_top + w->pad_bottom - w->kernel_h;
  int64_t width = x[2] * w->upsample + w->pad_left + w->pad_right - w->kernel_w;
  if (x[3] != w->in || height < 0 || width < 0)
    return example_refuse(error, POSED_INVALID_ARGUMENT,
                          "x of %lld×%lld and %lld channels does not suit a %d×%d filter of %d",
                          (long long)x[1], (long long)x[2], (long long)x[3], w->kernel_h, w->kernel_w, w->in);
  int64_t y[4] = {x[0], height / w->stride_h + 1, width / w->stride_w + 1, w->out};
  TRY(check_tensor(&d->y, "y", 4, y, error));
  TRY(check_dense(&d->y, "y", error));
  if (!d->residual.buffer) return POSED_OK;
  TRY(check_tensor(&d->residual, "residual", 4, y, error));
  return check_dense(&d->residual, "residual", error);
}

static posed_status check_group_norm(const posed_group_norm_desc *d, posed_error *error) {
  TRY(check_activation(d->activation, error));
  TRY(check_float(&d->x, "x", 4, error));
  TRY(check_dense(&d->x, "x", error));
  TRY(check_tensor(&d->y, "y", 4, d->x.shape, error));
  TRY(check_dense(&d->y, "y", error));
  TRY(check_tensor(&d->gamma, "gamma", 1, d->x.shape + 3, error));
  TRY(check_tensor(&d->beta, "beta", 1, d->x.shape + 3, error));
  if (d->groups < 1 || d->x.shape[3] % d->groups != 0)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "%lld channels do not make %d groups",
                          (long long)d->x.shape[3], d->groups);
  return POSED_OK;
}

static posed_status check_layer_norm(const posed_layer_norm_desc *d, posed_error *error) {
  TRY(check_float(&d->x, "x", 3, error));
  TRY(check_tensor(&d->y, "y", 3, d->x.shape, error));
  bool affine = d->gamma.buffer, modulated = d->scale.buffer;
  if (affine != (d->beta.buffer != NULL) || modulated != (d->shift.buffer != NULL) || (affine && modulated))
    return example_refuse(error, POSED_INVALID_ARGUMENT,
                          "expected gamma and beta, or scale and shift, or neither pair");
  int64_t row[2] = {d->x.shape[0], d->x.shape[2]};
  if (affine) TRY(check_tensor(&d->gamma, "gamma", 1, row + 1, error));
  if (affine) TRY(check_tensor(&d->beta, "beta", 1, row + 1, error));
  if (modulated) TRY(check_tensor(&d->scale, "scale", 2, row, error));
  if (modulated) TRY(check_tensor(&d->shift, "shift", 2, row, error));
  return POSED_OK;
}

static posed_status check_attention(const posed_attention_desc *d, posed_error *error) {
  TRY(check_float(&d->q, "q", 4, error));
  TRY(check_float(&d->k, "k", 4, error));
  const int64_t *q = d->q.shape;
  int64_t k[4] = {q[0], d->k.shape[1], q[2], q[3]};
  TRY(check_shape(&d->k, "k", k, error));
  TRY(check_tensor(&d->v, "v", 4, k, error));
  TRY(check_tensor(&d->y, "y", 4, q, error));
  int64_t bias[3] = {q[2], q[1], k[1]};
  if (d->bias.buffer) TRY(check_tensor(&d->bias, "bias", 3, bias, error));
  for (int64_t b = 0; d->cached && b < q[0]; b++) {
    const posed_kv *entry = &d->cached[b];
    if (!entry->k.buffer) continue;
    TRY(check_float(&entry->k, "a cached k", 3, error));
    int64_t cached[3] = {entry->k.shape[0], q[2], q[3]};
    TRY(check_shape(&entry->k, "a cached k", cached, error));
    TRY(check_tensor(&entry->v, "a cached v", 3, cached, error));
  }
  return POSED_OK;
}

static posed_status check_copy(const posed_copy_desc *d, posed_error *error) {
  uint32_t rank = d->x.rank, dtype = d->x.dtype == POSED_U8 ? POSED_U8 : POSED_F32;
  if (rank < 1 || rank > POSED_MAX_RANK)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "x has rank %u, expected 1 to %d", rank,
                          POSED_MAX_RANK);
  TRY(check_view(&d->x, "x", dtype, rank, true, error));
  TRY(check_view(&d->y, "y", dtype, rank, true, error));
  return check_shape(&d->y, "y", d->x.shape, error);
}

/* A dense tensor of y's shape, whatever that is. */
static posed_status check_like(const posed_tensor *t, const char *name, const posed_tensor *y, uint32_t dtype,
                               posed_error *error) {
  if (y->rank < 1 || y->rank > POSED_MAX_RANK)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "y has rank %u, expected 1 to %d", y->rank,
                          POSED_MAX_RANK);
  TRY(check_view(t, name, dtype, y->rank, false, error));
  TRY(check_shape(t, name, y->shape, error));
  return check_dense(t, name, error);
}

static posed_status check_combine(const posed_combine_desc *d, posed_error *error) {
  if (d->count < 1 || d->count > POSED_MAX_TERMS)
    return example_refuse(error, POSED_INVALID_ARGUMENT, "%u terms, expected 1 to %d", d->count,
                          POSED_MAX_TERMS);
  TRY(check_like(&d->y, "y", &d->y, POSED_F32, error));
  for (uint32_t term = 0; term < d->count; term++) TRY(check_like(&d->x[term], "x", &d->y, POSED_F32, error));
  return POSED_OK;
}

static posed_status check_activate(const posed_activate_desc *d, posed_error *error) {
  TRY(check_activation(d->activation, error));
  TRY(check_like(&d->y, "y", &d->y, POSED_F32, error));
  return check_like(&d->x, "x", &d->y, POSED_F32, error);
}

static posed_status check_glu(const posed_glu_desc *d, posed_error *error) {
  TRY(check_activation(d->activation, error));
  TRY(check_float(&d->y, "y", 3, error));
  int64_t x[3] = {d->y.shape[0], d->y.shape[1], 2 * d->y.shape[2]};
  return check_tensor(&d->x, "x", 3, x, error);
}

static posed_status check_quantize(const posed_quantize_desc *d, posed_error *error) {
  TRY(check_float(&d->x, "x", 4, error));
  TRY(check_dense(&d->x, "x", error));
  TRY(check_view(&d->y, "y", POSED_U8, 4, false, error));
  TRY(check_shape(&d->y, "y", d->x.shape, error));
  return check_dense(&d->y, "y", error);
}

posed_status example_check(const example_op *op, posed_error *error) {
  if (op->kind == 0) return example_refuse(error, POSED_INVALID_ARGUMENT, "there is no descriptor");
  switch (op->kind) {
  case POSED_OP_LINEAR:
    return check_linear(&op->desc.linear, error);
  case POSED_OP_CONV2D:
    return check_conv2d(&op->desc.conv2d, error);
  case POSED_OP_GROUP_NORM:
    return check_group_norm(&op->desc.group_norm, error);
  case POSED_OP_LAYER_NORM:
    return check_layer_norm(&op->desc.layer_norm, error);
  case POSED_OP_ATTENTION:
    return check_attention(&op->desc.attention, error);
  case POSED_OP_COPY:
    return check_copy(&op->desc.copy, error);
  case POSED_OP_COMBINE:
    return check_combine(&op->desc.combine, error);
  case POSED_OP_ACTIVATE:
    return check_activate(&op->desc.activate, error);
  case POSED_OP_GLU:
    return check_glu(&op->desc.glu, error);
  case POSED_OP_QUANTIZE:
    return check_quantize(&op->desc.quantize, error);
  }
  return example_refuse(error, POSED_INTERNAL, "operation %d is not known", (int)op->kind);
}
