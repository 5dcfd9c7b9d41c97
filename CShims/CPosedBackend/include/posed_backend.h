/*
 * The C ABI between posed and its compute backends.
 *
 * A backend is a shared library `libposed-backend-NAME.so` that exports one symbol,
 * `posed_backend_entry`. The host calls it once with the ABI version it speaks and gets a table of
 * functions. Nothing else crosses the border: no C++ type, no exception, no exit, no abort.
 *
 * Conventions, true of every function unless its comment says otherwise:
 *
 *  - Status. Functions return POSED_OK or another posed_status. On failure they fill `error` (when it
 *    is not NULL) with one sentence that says what was expected and what came. A failed function has
 *    changed nothing that the caller can see: out parameters keep their values.
 *  - Ownership. What a function `*_create`s or `*_open`s belongs to the caller, who gives it back to
 *    the matching `*_destroy` or `*_close`, exactly once, after everything made from it is gone. A
 *    buffer, graph or weight may be destroyed while work that uses it is still under way: the backend
 *    waits, or frees it later. Descriptors are read during the call and never kept; arrays they point
 *    to likewise.
 *  - Threads. A device may be used from any thread. A stream is used by one thread at a time; two
 *    streams of a device may be used at once by two threads. Making and destroying buffers and
 *    weights is safe at any time on any thread.
 *  - Order. Work on one stream takes effect in the order of the calls. It may be asynchronous:
 *    results are there for the host after `stream_synchronize`, or `event_synchronize`. A CPU
 *    backend may do its work before the call returns.
 *  - Layout. Tensors are strided views of buffers; strides count elements. The innermost stride is
 *    1 except for `copy`. Images are channels-last, [N, H, W, C]; tokens are [B, T, D].
 *  - Arithmetic. Products accumulate in float32 or better whatever the operands' type; norms,
 *    softmax and activations compute in float32. The result for one row of a batch does not depend
 *    on the other rows' values. A NaN that an element is made of makes it a NaN, except in quantize.
 */
#ifndef POSED_BACKEND_H
#define POSED_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A plugin fits when its major version is the host's and its minor version is not above the host's.
 * 1.1: attention's bias. The host gives none to a plugin that was built for 1.0. */
#define POSED_BACKEND_ABI_MAJOR 1u
#define POSED_BACKEND_ABI_MINOR 1u
#define POSED_BACKEND_ABI ((POSED_BACKEND_ABI_MAJOR << 16) | POSED_BACKEND_ABI_MINOR)

#define POSED_MAX_RANK 6
#define POSED_MAX_MESSAGE 480

/* ---- Plain values ---------------------------------------------------------------------------- */

typedef enum posed_status {
  POSED_OK = 0,
  POSED_INVALID_ARGUMENT = 1, /* the caller broke this header's rules */
  POSED_UNSUPPORTED = 2,      /* a valid request that this backend cannot serve */
  POSED_OUT_OF_MEMORY = 3,    /* this allocation failed; everything else goes on */
  POSED_DEVICE_LOST = 4,      /* the device will not answer again; close it */
  POSED_INTERNAL = 5          /* a defect of the backend or of a library below it */
} posed_status;

typedef struct posed_error {
  char message[POSED_MAX_MESSAGE]; /* UTF-8, zero-terminated, one sentence */
} posed_error;

typedef enum posed_dtype {
  POSED_F32 = 1,
  POSED_F16 = 2,
  POSED_BF16 = 3,
  POSED_U8 = 4,
  /* Of products of `linear` alone, no tensor's: rows of x, while it is multiplied, and rows of W, once, are
   * rounded to 8 bits between bounds of their own; x and y are float32 or bfloat16. */
  POSED_I8 = 5
} posed_dtype;

typedef enum posed_activation {
  POSED_ACT_NONE = 0,
  POSED_ACT_RELU = 1,
  POSED_ACT_SILU = 2,      /* x * sigmoid(x) */
  POSED_ACT_GELU_TANH = 3, /* the tanh approximation of GELU */
  POSED_ACT_GELU_ERF = 4,  /* x * Phi(x), exact */
  POSED_ACT_TANH = 5
} posed_activation;

/* Opaque to the host. */
typedef struct posed_device posed_device;
typedef struct posed_buffer posed_buffer;
typedef struct posed_stream posed_stream;
typedef struct posed_event posed_event;
typedef struct posed_graph posed_graph;
typedef struct posed_weight posed_weight;

/* A strided view of a buffer. Element (i0, i1, …) lies at offset_bytes + (sum of i_k * stride[k]) *
 * (size of dtype). A stride of 0 broadcasts an input. `buffer` NULL means "no tensor" where a
 * descriptor calls a tensor optional. */
typedef struct posed_tensor {
  posed_buffer *buffer;
  uint64_t offset_bytes;
  uint32_t dtype; /* posed_dtype */
  uint32_t rank;  /* 1 … POSED_MAX_RANK */
  int64_t shape[POSED_MAX_RANK];
  int64_t stride[POSED_MAX_RANK];
} posed_tensor;

/* ---- Descriptors of operations --------------------------------------------------------------- */

/* y = residual + gate * act(x · Wᵀ + bias), the gate and the residual optional.
 * x [B, T, K] of the weight's compute type or float32; y [B, T, N] likewise; bfloat16 goes with POSED_I8.
 * gate [B, N] float32 (stride 0 on B broadcasts); residual [B, T, N] float32 or y's type (stride 0
 * on B broadcasts; may be y itself). An absent gate is 1. */
typedef struct posed_linear_desc {
  posed_tensor x, y;
  const posed_weight *weight; /* made by weight_create_linear */
  uint32_t activation;        /* posed_activation */
  posed_tensor gate;
  posed_tensor residual;
} posed_linear_desc;

/* y = act(conv(x, W) + bias + residual), the residual optional.
 * x [N, H, W, C]; y [N, Ho, Wo, O]; residual [N, Ho, Wo, O] of y's type, may be y itself.
 * Strides, padding and upsampling were fixed when the weight was made. Images are dense. */
typedef struct posed_conv2d_desc {
  posed_tensor x, y;
  const posed_weight *weight; /* made by weight_create_conv2d */
  uint32_t activation;
  posed_tensor residual;
} posed_conv2d_desc;

/* y = act((x − mean) / √(variance + eps) * gamma + beta), statistics over H, W and the channels of
 * one group. x, y [N, H, W, C] dense, any of the float types; gamma, beta [C] float32. */
typedef struct posed_group_norm_desc {
  posed_tensor x, y, gamma, beta;
  int32_t groups;
  float eps;
  uint32_t activation;
} posed_group_norm_desc;

/* n = (x − mean) / √(variance + eps) over the last dimension, then either n * gamma + beta
 * (gamma, beta [D]) or n * (1 + scale) + shift (scale, shift [B, D]), or n alone.
 * x, y [B, T, D]; gamma, beta, scale, shift float32, optional in pairs. */
typedef struct posed_layer_norm_desc {
  posed_tensor x, y;
  posed_tensor gamma, beta;
  posed_tensor scale, shift;
  float eps;
} posed_layer_norm_desc;

/* y[b, i, h] = Σ_j softmax_j(scale * q[b, i, h] · k[b, j, h] + bias[h, i, j]) v[b, j, h], over the row's
 * own keys and values and then those of its `cached` entry, if any.
 * q [B, Tq, H, d]; k, v [B, Tk, H, d]; y [B, Tq, H, d]; all of one type; strides are free but for the
 * last. A stride of 0 on B broadcasts q, k or v.
 * bias [H, Tq, Tk] float32, optional: one for all rows, of their own keys; cached keys have none. Its
 * strides are free but for the last; 0 broadcasts. */
typedef struct posed_kv {
  posed_tensor k, v; /* [T, H, d] each; k.buffer NULL: this row has none */
} posed_kv;

typedef struct posed_attention_desc {
  posed_tensor q, k, v, y;
  const posed_kv *cached; /* B entries, one per row, or NULL */
  float scale;
  posed_tensor bias; /* since 1.1 */
} posed_attention_desc;

/* y = x, with conversion of the type; both strided freely, of the same shape, rank up to 6. Covers
 * concatenation, slicing, transposition, patchify and unpatchify. A stride of 0 on x broadcasts. x and
 * y do not overlap. */
typedef struct posed_copy_desc {
  posed_tensor x, y;
} posed_copy_desc;

/* y = bias + Σ_i coefficient[i] * x[i], in float32, in the order given: solver updates, guidance, the
 * shift and scale of latents. All tensors dense and of one shape; y may be one of the x. */
#define POSED_MAX_TERMS 12
typedef struct posed_combine_desc {
  posed_tensor y;
  uint32_t count; /* 1 … POSED_MAX_TERMS */
  posed_tensor x[POSED_MAX_TERMS];
  float coefficient[POSED_MAX_TERMS];
  float bias;
} posed_combine_desc;

/* y = act(x), elementwise; dense, one shape; types may differ; y may be x when they do not. */
typedef struct posed_activate_desc {
  posed_tensor x, y;
  uint32_t activation;
} posed_activate_desc;

/* y = act(a) * b with [a | b] the halves of x's last dimension: SwiGLU's product.
 * x [B, T, 2·D]; y [B, T, D]. */
typedef struct posed_glu_desc {
  posed_tensor x, y;
  uint32_t activation;
} posed_glu_desc;

/* y = round((clamp(x, −1, 1) + 1) * 127.5), halves to even, in 8 bits. x, y [N, H, W, C] dense, x of a
 * float type, y POSED_U8. NaN becomes 0. */
typedef struct posed_quantize_desc {
  posed_tensor x, y;
} posed_quantize_desc;

/* ---- Descriptors of weights ------------------------------------------------------------------ */

/* A matrix on the host, read during the call and packed as the device likes it best. */
typedef struct posed_linear_weight_desc {
  const void *data;  /* [out, in] row-major, of `dtype`; any alignment */
  uint32_t dtype;    /* POSED_F32, POSED_F16 or POSED_BF16 */
  const float *bias; /* [out], or NULL */
  int64_t out, in;
  uint32_t compute; /* posed_dtype of the operands of the product: a float type or POSED_I8 */
} posed_linear_weight_desc;

/* A filter on the host. With `upsample` 2 the convolution acts on the nearest-neighbour enlargement of
 * x by 2 (which a backend need not build); stride is then 1 and all paddings 1, the kernel 3×3. */
typedef struct posed_conv2d_weight_desc {
  const void *data; /* [out, in, kh, kw] row-major */
  uint32_t dtype;
  const float *bias; /* [out], or NULL */
  int32_t out, in, kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t pad_top, pad_left, pad_bottom, pad_right;
  int32_t upsample; /* 1 or 2 */
  uint32_t compute;
} posed_conv2d_weight_desc;

/* ---- What a backend says of itself ----------------------------------------------------------- */

/* The answer to "can you run here, and how well". Written for people and for the choice by score. */
typedef struct posed_probe_result {
  /* 0: cannot run here; higher is better: a BLAS 10; cpu 50; a GPU 90, 100. */
  int32_t score;
  int32_t devices;   /* how many devices can be opened */
  char summary[256]; /* one sentence: what was found, or why this machine will not do */
} posed_probe_result;

typedef struct posed_device_options {
  int32_t index;            /* 0 … devices − 1 */
  int32_t threads;          /* CPU threads; 0: as many as the process may use */
  uint64_t memory_limit;    /* bytes of device memory; 0: no limit */
  const char *cache_folder; /* where compiled kernels may be kept, or NULL */
} posed_device_options;

typedef struct posed_device_info {
  char name[128];    /* "AMD EPYC, 2 threads" */
  char numerics[64]; /* class of results: equal strings on equal inputs promise equal bits */
  int32_t threads;
  uint32_t dtypes;    /* bit (1 << posed_dtype): a compute type of linear, conv2d and attention, POSED_I8
                         of linear alone, with POSED_BF16 beside it */
  uint32_t preferred; /* posed_dtype: the fastest of them that these models tolerate */
  uint64_t memory_total, memory_used; /* bytes; total 0: unknown */
  uint32_t host_visible;              /* 1: buffer_map gives host pointers that the device works on */
} posed_device_info;

typedef enum posed_op {
  POSED_OP_LINEAR = 1,
  POSED_OP_CONV2D = 2,
  POSED_OP_GROUP_NORM = 3,
  POSED_OP_LAYER_NORM = 4,
  POSED_OP_ATTENTION = 5,
  POSED_OP_COPY = 6,
  POSED_OP_COMBINE = 7,
  POSED_OP_ACTIVATE = 8,
  POSED_OP_GLU = 9,
  POSED_OP_QUANTIZE = 10
} posed_op;

/* One operation that the host intends to use: `x` and `y` types, compute type where it has weights,
 * and the sizes that decide (linear: in, out; conv2d: in, out, kernel, stride; attention: heads, head
 * size, 1 with a bias; others: the last dimension). */
typedef struct posed_op_query {
  uint32_t op; /* posed_op */
  uint32_t x_dtype, y_dtype, compute;
  int64_t sizes[4];
} posed_op_query;

/* ---- The table ------------------------------------------------------------------------------- */

/* Groups come in the order device, memory, stream, weights, operations. Slots marked (optional) may be
 * NULL; all others must be set. */
typedef struct posed_backend {
  uint32_t abi;         /* POSED_BACKEND_ABI of the header it was built with */
  uint32_t struct_size; /* sizeof(posed_backend), likewise */
  const char *name;     /* "cpu": the NAME of the library's file */
  const char *version;  /* of the plugin, for people */

  /* -- device -- */

  /* Looks at the processor *and* what the operating system lets a process use of it. Cheap, changes
   * nothing, needs no device. The host calls it in a child process first: a probe that crashes
   * disqualifies the plugin, not the host. */
  posed_status (*probe)(posed_probe_result *result, posed_error *error);
  posed_status (*device_open)(const posed_device_options *options, posed_device **device, posed_error *error);
  void (*device_close)(posed_device *device);
  posed_status (*device_info)(posed_device *device, posed_device_info *info, posed_error *error);
  /* 1: the operation will work; 0: it will not, and `error` says why. Asked when a model is loaded. */
  int32_t (*supports)(posed_device *device, const posed_op_query *query, posed_error *error);

  /* -- memory -- */

  /* At least 64-byte aligned; contents undefined. Never called between the steps of a solve. */
  posed_status (*buffer_create)(posed_device *device, uint64_t bytes, posed_buffer **buffer,
                                posed_error *error);
  void (*buffer_destroy)(posed_device *device, posed_buffer *buffer);
  /* (optional) The host's address of a buffer's first byte; NULL where host_visible is 0. */
  void *(*buffer_map)(posed_device *device, posed_buffer *buffer);
  /* Host memory may be reused when upload returns, and is complete after stream_synchronize for
   * download. */
  posed_status (*upload)(posed_stream *stream, posed_buffer *to, uint64_t offset_bytes, const void *from,
                         uint64_t bytes, posed_error *error);
  posed_status (*download)(posed_stream *stream, void *to, posed_buffer *from, uint64_t offset_bytes,
                           uint64_t bytes, posed_error *error);

  /* -- stream -- */

  posed_status (*stream_create)(posed_device *device, posed_stream **stream, posed_error *error);
  void (*stream_destroy)(posed_stream *stream);
  posed_status (*stream_synchronize)(posed_stream *stream, posed_error *error);
  /* Events mark a point of one stream, for another stream or the host to wait for. */
  posed_status (*event_create)(posed_device *device, posed_event **event, posed_error *error);
  void (*event_destroy)(posed_event *event);
  posed_status (*event_record)(posed_stream *stream, posed_event *event, posed_error *error);
  posed_status (*event_wait)(posed_stream *stream, posed_event *event, posed_error *error);
  posed_status (*event_synchronize)(posed_event *event, posed_error *error);
  /* Between begin and end, operations (no upload, no download) are recorded and not carried out.
   * The graph works on the very buffers recorded, which must outlive it. An operation that fails while
   * recording ends the recording; capture_end then returns its status. A launch allocates nothing. */
  posed_status (*capture_begin)(posed_stream *stream, posed_error *error);
  posed_status (*capture_end)(posed_stream *stream, posed_graph **graph, posed_error *error);
  posed_status (*graph_launch)(posed_stream *stream, posed_graph *graph, posed_error *error);
  void (*graph_destroy)(posed_graph *graph);

  /* -- weights -- */

  posed_status (*weight_create_linear)(posed_device *device, const posed_linear_weight_desc *desc,
                                       posed_weight **weight, posed_error *error);
  posed_status (*weight_create_conv2d)(posed_device *device, const posed_conv2d_weight_desc *desc,
                                       posed_weight **weight, posed_error *error);
  void (*weight_destroy)(posed_device *device, posed_weight *weight);
  uint64_t (*weight_bytes)(const posed_weight *weight);

  /* -- operations -- */

  posed_status (*linear)(posed_stream *stream, const posed_linear_desc *desc, posed_error *error);
  posed_status (*conv2d)(posed_stream *stream, const posed_conv2d_desc *desc, posed_error *error);
  posed_status (*group_norm)(posed_stream *stream, const posed_group_norm_desc *desc, posed_error *error);
  posed_status (*layer_norm)(posed_stream *stream, const posed_layer_norm_desc *desc, posed_error *error);
  posed_status (*attention)(posed_stream *stream, const posed_attention_desc *desc, posed_error *error);
  posed_status (*copy)(posed_stream *stream, const posed_copy_desc *desc, posed_error *error);
  posed_status (*combine)(posed_stream *stream, const posed_combine_desc *desc, posed_error *error);
  posed_status (*activate)(posed_stream *stream, const posed_activate_desc *desc, posed_error *error);
  posed_status (*glu)(posed_stream *stream, const posed_glu_desc *desc, posed_error *error);
  posed_status (*quantize)(posed_stream *stream, const posed_quantize_desc *desc, posed_error *error);
} posed_backend;

/* The one symbol of a plugin. `host_abi` is the host's POSED_BACKEND_ABI; the table lives as long as the
 * library is loaded. NULL: the plugin knows that it does not fit this host. */
typedef const posed_backend *(*posed_backend_entry_fn)(uint32_t host_abi);

#if defined(__GNUC__)
#define POSED_EXPORT __attribute__((visibility("default")))
#else
#define POSED_EXPORT
#endif

#ifdef __cplusplus
}
#endif
#endif
