// The functions of the table. Each checks its arguments, does its work inside `guard`, and sets its
// out parameters last.
#include "posed_cpu/backend.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "Table.h"
#include "operations/Plans.h"
#include "posed_cpu/device.h"
#include "posed_cpu/features.h"

namespace posed {
namespace {

const Plugin *plugin_of_library = nullptr;

template <class T> void require(const T *pointer, const char *what) {
  if (pointer == nullptr) fail(POSED_INVALID_ARGUMENT, "%s is NULL.", what);
}

void require_bounds(const posed_buffer *buffer, uint64_t offset, uint64_t bytes) {
  uint64_t have = buffer->memory.bytes();
  if (offset <= have && bytes <= have - offset) return;
  fail(POSED_INVALID_ARGUMENT, "%llu bytes at offset %llu do not fit a buffer of %llu bytes.",
       static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(offset),
       static_cast<unsigned long long>(have));
}

// ---- device ----

posed_status probe(posed_probe_result *result, posed_error *error) {
  return guard(error, [&] {
    require(result, "result");
    posed_probe_result answer = {};
    plugin_of_library->probe(answer);
    *result = answer;
  });
}

posed_status device_open(const posed_device_options *options, posed_device **device, posed_error *error) {
  return guard(error, [&] {
    require(options, "options");
    require(device, "device");
    constexpr int32_t most = 1024;
    if (options->index != 0) {
      fail(POSED_INVALID_ARGUMENT, "Device %d of %s does not exist; there is only device 0.", options->index,
           plugin_of_library->name);
    }
    if (options->threads < 0 || options->threads > most) {
      fail(POSED_INVALID_ARGUMENT, "%d threads; expected 0 to %d.", options->threads, most);
    }
    int threads = options->threads == 0 ? usable_threads() : options->threads;
    auto kernels = plugin_of_library->open(*options, threads);
    *device = new posed_device(std::move(kernels), threads, options->memory_limit, plugin_of_library->name);
  });
}

void device_close(posed_device *device) { delete device; }

posed_status device_info(posed_device *device, posed_device_info *info, posed_error *error) {
  return guard(error, [&] {
    require(device, "device");
    require(info, "info");
    posed_device_info answer = {};
    int threads = device->pool.threads();
    std::snprintf(answer.name, sizeof answer.name, "%.100s, %d thread%s", features().name.c_str(), threads,
                  threads == 1 ? "" : "s");
    std::snprintf(answer.numerics, sizeof answer.numerics, "%s", device->kernels->numerics().c_str());
    answer.threads = threads;
    answer.dtypes = device->kernels->compute_types();
    answer.preferred = device->kernels->preferred();
    answer.memory_total = device->account->limit();
    answer.memory_used = device->account->used();
    answer.host_visible = 1;
    *info = answer;
  });
}

bool supports_types(const posed_op_query &query, std::string &why) {
  bool bytes_allowed = query.op == POSED_OP_QUANTIZE || query.op == POSED_OP_COPY;
  bool x = is_float(query.x_dtype) || (query.op == POSED_OP_COPY && query.x_dtype == POSED_U8);
  bool y = is_float(query.y_dtype) || (bytes_allowed && query.y_dtype == POSED_U8);
  if (query.op == POSED_OP_QUANTIZE) y = query.y_dtype == POSED_U8;
  if (query.op == POSED_OP_COPY && (query.x_dtype == POSED_U8) != (query.y_dtype == POSED_U8)) {
    y = false;
  }
  if (!x || !y) {
    why = "Operation " + std::to_string(query.op) + " does not take " + name_of(query.x_dtype) + " to " +
          name_of(query.y_dtype) + ".";
  }
  return x && y;
}

bool supports_query(const posed_device &device, const posed_op_query &query, std::string &why) {
  if (query.op < POSED_OP_LINEAR || query.op > POSED_OP_QUANTIZE) {
    why = "Operation " + std::to_string(query.op) + " is not known.";
    return false;
  }
  if (!supports_types(query, why)) return false;
  bool weighted = query.op == POSED_OP_LINEAR || query.op == POSED_OP_CONV2D;
  if (!weighted && query.op != POSED_OP_ATTENTION) return true;
  uint32_t compute = weighted ? query.compute : query.x_dtype;
  if (!is_float(compute) || (device.kernels->compute_types() & (1u << compute)) == 0) {
    why = std::string("The ") + plugin_of_library->name + " backend does not compute in " + name_of(compute) +
          " here.";
    return false;
  }
  bool x = query.x_dtype == POSED_F32 || query.x_dtype == compute;
  bool y = query.y_dtype == POSED_F32 || query.y_dtype == compute;
  if (query.op == POSED_OP_ATTENTION) y = query.y_dtype == query.x_dtype;
  if (!x || !y) {
    why = "Operation " + std::to_string(query.op) + " computing in " + name_of(compute) + " does not take " +
          name_of(query.x_dtype) + " to " + name_of(query.y_dtype) + ".";
    return false;
  }
  return device.kernels->supports(query, why);
}

int32_t supports(posed_device *device, const posed_op_query *query, posed_error *error) {
  bool answer = false;
  posed_status status = guard(error, [&] {
    require(device, "device");
    require(query, "query");
    std::string why;
    answer = supports_query(*device, *query, why);
    if (!answer) report(error, why.c_str());
  });
  return status == POSED_OK && answer ? 1 : 0;
}

// ---- memory ----

posed_status buffer_create(posed_device *device, uint64_t bytes, posed_buffer **buffer, posed_error *error) {
  return guard(error, [&] {
    require(device, "device");
    require(buffer, "buffer");
    *buffer = new posed_buffer{device, device->allocate(bytes)};
  });
}

void buffer_destroy(posed_device *, posed_buffer *buffer) {
  if (buffer != nullptr) buffer->device->pool.settle();
  delete buffer;
}

void *buffer_map(posed_device *, posed_buffer *buffer) {
  return buffer == nullptr ? nullptr : buffer->memory.data();
}

posed_status upload(posed_stream *stream, posed_buffer *to, uint64_t offset_bytes, const void *from,
                    uint64_t bytes, posed_error *error) {
  return guard(error, [&] {
    require(stream, "stream");
    require(to, "to");
    if (bytes > 0) require(from, "from");
    stream->require_running("upload");
    require_bounds(to, offset_bytes, bytes);
    if (bytes > 0) std::memcpy(to->memory.as<std::byte>() + offset_bytes, from, bytes);
  });
}

posed_status download(posed_stream *stream, void *to, posed_buffer *from, uint64_t offset_bytes,
                      uint64_t bytes, posed_error *error) {
  return guard(error, [&] {
    require(stream, "stream");
    require(from, "from");
    if (bytes > 0) require(to, "to");
    stream->require_running("download");
    require_bounds(from, offset_bytes, bytes);
    if (bytes > 0) std::memcpy(to, from->memory.as<std::byte>() + offset_bytes, bytes);
  });
}

// ---- weights ----

void require_compute(const posed_device &device, uint32_t compute, const char *what) {
  if ((device.kernels->compute_types() & (1u << compute)) != 0) return;
  fail(POSED_UNSUPPORTED, "%s: the %s backend does not compute in %s here.", what, plugin_of_library->name,
       name_of(compute).c_str());
}

posed_status weight_create_linear(posed_device *device, const posed_linear_weight_desc *desc,
                                  posed_weight **weight, posed_error *error) {
  return guard(error, [&] {
    require(device, "device");
    require(desc, "desc");
    require(weight, "weight");
    check_linear_weight(*desc);
    require_compute(*device, desc->compute, "linear weight");
    auto packed = device->kernels->pack_linear(*device, *desc);
    packed->out = desc->out;
    packed->in = desc->in;
    packed->compute = desc->compute;
    *weight = packed.release();
  });
}

posed_status weight_create_conv2d(posed_device *device, const posed_conv2d_weight_desc *desc,
                                  posed_weight **weight, posed_error *error) {
  return guard(error, [&] {
    require(device, "device");
    require(desc, "desc");
    require(weight, "weight");
    check_conv2d_weight(*desc);
    require_compute(*device, desc->compute, "conv2d weight");
    auto packed = device->kernels->pack_conv2d(*device, *desc);
    packed->compute = desc->compute;
    packed->filter = {.out = desc->out,
                      .in = desc->in,
                      .kernel_h = desc->kernel_h,
                      .kernel_w = desc->kernel_w,
                      .stride_h = desc->stride_h,
                      .stride_w = desc->stride_w,
                      .pad_top = desc->pad_top,
                      .pad_left = desc->pad_left,
                      .pad_bottom = desc->pad_bottom,
                      .pad_right = desc->pad_right,
                      .upsample = desc->upsample};
    *weight = packed.release();
  });
}

void weight_destroy(posed_device *, posed_weight *weight) {
  if (weight != nullptr) weight->device->pool.settle();
  delete weight;
}

uint64_t weight_bytes(const posed_weight *weight) { return weight == nullptr ? 0 : weight->bytes(); }

// ---- operations ----

/// An entry of the table made of a planning step.
template <class Desc, OperationPointer (*plan)(posed_device &, const Desc &)>
posed_status operation(posed_stream *stream, const Desc *desc, posed_error *error) {
  if (stream == nullptr) {
    report(error, "stream is NULL.");
    return POSED_INVALID_ARGUMENT;
  }
  return stream->perform(error, [&] {
    require(desc, "desc");
    return plan(*stream->device, *desc);
  });
}

template <class Desc, OperationPointer (*plan)(const Desc &)>
OperationPointer without_device(posed_device &, const Desc &desc) {
  return plan(desc);
}

OperationPointer linear(posed_device &device, const posed_linear_desc &desc) {
  return device.kernels->plan_linear(device, check_linear(device, desc));
}
OperationPointer conv2d(posed_device &device, const posed_conv2d_desc &desc) {
  return device.kernels->plan_conv2d(device, check_conv2d(device, desc));
}
OperationPointer attention(posed_device &device, const posed_attention_desc &desc) {
  return device.kernels->plan_attention(device, check_attention(desc));
}

template <class Desc, OperationPointer (*plan)(const Desc &)>
constexpr auto simple = operation<Desc, without_device<Desc, plan>>;

} // namespace

const posed_backend *make_backend(const Plugin &plugin, uint32_t host_abi) {
  if (host_abi >> 16 != POSED_BACKEND_ABI_MAJOR) return nullptr;
  plugin_of_library = &plugin;
  static posed_backend table = {};
  table.abi = POSED_BACKEND_ABI;
  table.struct_size = sizeof(posed_backend);
  table.name = plugin.name;
  table.version = plugin.version;
  table.probe = probe;
  table.device_open = device_open;
  table.device_close = device_close;
  table.device_info = device_info;
  table.supports = supports;
  table.buffer_create = buffer_create;
  table.buffer_destroy = buffer_destroy;
  table.buffer_map = buffer_map;
  table.upload = upload;
  table.download = download;
  fill_stream(table);
  table.weight_create_linear = weight_create_linear;
  table.weight_create_conv2d = weight_create_conv2d;
  table.weight_destroy = weight_destroy;
  table.weight_bytes = weight_bytes;
  table.linear = operation<posed_linear_desc, linear>;
  table.conv2d = operation<posed_conv2d_desc, conv2d>;
  table.group_norm = operation<posed_group_norm_desc, plan_group_norm>;
  table.layer_norm = simple<posed_layer_norm_desc, plan_layer_norm>;
  table.attention = operation<posed_attention_desc, attention>;
  table.copy = simple<posed_copy_desc, plan_copy>;
  table.combine = simple<posed_combine_desc, plan_combine>;
  table.activate = simple<posed_activate_desc, plan_activate>;
  table.glu = simple<posed_glu_desc, plan_glu>;
  table.quantize = simple<posed_quantize_desc, plan_quantize>;
  return &table;
}

} // namespace posed
