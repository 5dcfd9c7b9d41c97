// The functions of the table. Each checks its arguments, does its work inside `guard`, and sets its
// out parameters last.
#include "posed_host/backend.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "Table.h"
#include "operations/Plans.h"
#include "posed_host/device.h"

namespace posed {
namespace {

const Plugin *plugin_of_library = nullptr;

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
    std::snprintf(answer.name, sizeof answer.name, "%.100s, %d thread%s",
                  device->kernels->processor().c_str(), threads, threads == 1 ? "" : "s");
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

bool supports_query(const posed_device &device, const posed_op_query &query, std::string &why) {
  const Kernels &kernels = *device.kernels;
  if (!plausible(query, kernels.compute_types(), plugin_of_library->name, why)) return false;
  bool own = query.op == POSED_OP_LINEAR || query.op == POSED_OP_CONV2D || query.op == POSED_OP_ATTENTION;
  return !own || kernels.supports(query, why);
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
    *buffer = new HostBuffer(device, device->allocate(bytes));
  });
}

void buffer_destroy(posed_device *, posed_buffer *buffer) {
  if (buffer != nullptr) buffer->device->pool.settle();
  delete static_cast<HostBuffer *>(buffer);
}

void *buffer_map(posed_device *, posed_buffer *buffer) { return buffer == nullptr ? nullptr : buffer->data; }

posed_status upload(posed_stream *stream, posed_buffer *to, uint64_t offset_bytes, const void *from,
                    uint64_t bytes, posed_error *error) {
  return guard(error, [&] {
    require(stream, "stream");
    require(to, "to");
    if (bytes > 0) require(from, "from");
    stream->require_running("upload");
    require_bounds(*to, offset_bytes, bytes);
    if (bytes > 0) std::memcpy(to->data + offset_bytes, from, bytes);
  });
}

posed_status download(posed_stream *stream, void *to, posed_buffer *from, uint64_t offset_bytes,
                      uint64_t bytes, posed_error *error) {
  return guard(error, [&] {
    require(stream, "stream");
    require(from, "from");
    if (bytes > 0) require(to, "to");
    stream->require_running("download");
    require_bounds(*from, offset_bytes, bytes);
    if (bytes > 0) std::memcpy(to, from->data + offset_bytes, bytes);
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
    check(*desc);
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
    check(*desc);
    require_compute(*device, desc->compute, "conv2d weight");
    auto packed = device->kernels->pack_conv2d(*device, *desc);
    packed->compute = desc->compute;
    packed->filter = filter_of(*desc);
    *weight = packed.release();
  });
}

void weight_destroy(posed_device *, posed_weight *weight) {
  if (weight != nullptr) weight->device->pool.settle();
  delete weight;
}

uint64_t weight_bytes(const posed_weight *weight) { return weight == nullptr ? 0 : weight->bytes(); }

// ---- operations ----

OperationPointer plan(posed_device &device, const LinearCall &call) {
  return device.kernels->plan_linear(device, call);
}
OperationPointer plan(posed_device &device, const ConvCall &call) {
  return device.kernels->plan_conv2d(device, call);
}
OperationPointer plan(posed_device &device, const AttentionCall &call) {
  return device.kernels->plan_attention(device, call);
}

/// An entry of the table: a descriptor is checked and planned.
template <class Desc> posed_status operation(posed_stream *stream, const Desc *desc, posed_error *error) {
  if (stream == nullptr) {
    report(error, "stream is NULL.");
    return POSED_INVALID_ARGUMENT;
  }
  return stream->perform(error, [&] {
    require(desc, "desc");
    return plan(*stream->device, check(*stream->device, *desc));
  });
}

posed_backend make_table(const Plugin &plugin) {
  plugin_of_library = &plugin;
  posed_backend table = {};
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
  table.linear = operation<posed_linear_desc>;
  table.conv2d = operation<posed_conv2d_desc>;
  table.group_norm = operation<posed_group_norm_desc>;
  table.layer_norm = operation<posed_layer_norm_desc>;
  table.attention = operation<posed_attention_desc>;
  table.copy = operation<posed_copy_desc>;
  table.combine = operation<posed_combine_desc>;
  table.activate = operation<posed_activate_desc>;
  table.glu = operation<posed_glu_desc>;
  table.quantize = operation<posed_quantize_desc>;
  return table;
}

} // namespace

const posed_backend *make_backend(const Plugin &plugin, uint32_t host_abi) {
  if (host_abi >> 16 != POSED_BACKEND_ABI_MAJOR) return nullptr;
  // Written once, for a host may ask again while its other threads compute.
  static const posed_backend table = make_table(plugin);
  return &table;
}

} // namespace posed
