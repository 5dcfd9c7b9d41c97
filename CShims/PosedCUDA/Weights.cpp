#include "Weights.h"

#include <cstring>

#include "posed_plugin/calls.h"
#include "posed_plugin/scalar.h"

namespace posed::cuda {
namespace {

/// Element `i` of host data at any address.
float read(const void *data, uint32_t dtype, int64_t i) {
  auto at = [&](auto value) {
    std::memcpy(&value, static_cast<const std::byte *>(data) + i * int64_t(sizeof value), sizeof value);
    return widen(value);
  };
  return dtype == POSED_F32 ? at(0.0f) : dtype == POSED_F16 ? at(Float16{}) : at(BFloat16{});
}

void write(std::byte *to, uint32_t dtype, int64_t i, float value) {
  auto put = [&](auto narrowed) {
    narrow(value, narrowed);
    std::memcpy(to + i * int64_t(sizeof narrowed), &narrowed, sizeof narrowed);
  };
  if (dtype == POSED_F32) return put(0.0f);
  if (dtype == POSED_F16) return put(Float16{});
  put(BFloat16{});
}

/// A weight's memory: the packed matrix, then the biases.
struct Layout {
  int64_t matrix, bias, own_bias, bytes; // offsets and the end, in bytes
};

Layout layout_of(const PackedWeight &weight, int64_t phases, bool has_bias) {
  const int64_t size = int64_t(size_of(weight.compute)), unit = 512;
  Layout layout = {};
  layout.bias = round_up(phases * weight.rows * weight.row * size, unit);
  layout.own_bias = layout.bias + (has_bias ? round_up(weight.rows * 4, unit) : 0);
  bool other = has_bias && weight.compute != POSED_F32;
  layout.bytes = layout.own_bias + (other ? round_up(weight.rows * size, unit) : 0);
  return layout;
}

/// Fills the biases of `packed`, makes the weight's memory and puts all of it there.
void finish(posed_device &device, PackedWeight &weight, const Layout &layout, const float *bias,
            std::vector<std::byte> &packed) {
  weight.memory = DeviceMemory(device.pool, packed.size());
  const Address address = weight.memory.address();
  if (bias != nullptr) {
    const int64_t count = weight.kind == posed_weight::Kind::linear ? weight.out : weight.filter.out;
    const bool other = weight.compute != POSED_F32;
    weight.bias = address + static_cast<Address>(layout.bias);
    weight.own_bias = other ? address + static_cast<Address>(layout.own_bias) : weight.bias;
    for (int64_t i = 0; i < count; ++i) {
      const float value = read(bias, POSED_F32, i);
      write(packed.data() + layout.bias, POSED_F32, i, value);
      if (other) write(packed.data() + layout.own_bias, weight.compute, i, value);
    }
  }
  std::lock_guard lock(device.own_mutex);
  try {
    device.own_staging->upload(address, packed.data(), packed.size());
  } catch (...) {
    device.driver.stream_synchronize(device.own_stream); // parts may be on their way to memory that goes back
    throw;
  }
  device.driver.require(device.driver.stream_synchronize(device.own_stream), "packing a weight");
}

/// Refuses what no device could hold, before the host tries to.
std::vector<std::byte> host_memory(const posed_device &device, const Layout &layout) {
  if (static_cast<uint64_t>(layout.bytes) > device.memory_total) {
    fail(POSED_OUT_OF_MEMORY, "A weight of %lld bytes does not fit a device of %llu.",
         static_cast<long long>(layout.bytes), static_cast<unsigned long long>(device.memory_total));
  }
  return std::vector<std::byte>(static_cast<size_t>(layout.bytes));
}

/// The filter [2, 2] of one parity that acts on x as a filter of three taps does on x's enlargement: which of
/// the three become which of the two.
bool joins(int parity, int tap, int folded) { return (tap + 1 - parity) / 2 == folded; }

float folded(const posed_conv2d_weight_desc &desc, int phase, int64_t o, int64_t c, int down, int across) {
  const int64_t first = (o * desc.in + c) * 9;
  float sum = 0;
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 3; ++x) {
      if (joins(phase / 2, y, down) && joins(phase % 2, x, across)) {
        sum += read(desc.data, desc.dtype, first + y * 3 + x);
      }
    }
  }
  return sum;
}

} // namespace

std::unique_ptr<PackedWeight> pack(posed_device &device, const posed_linear_weight_desc &desc) {
  if (!is_float(desc.compute)) {
    fail(POSED_UNSUPPORTED, "linear weight: the cuda backend does not compute in %s.",
         name_of(desc.compute).c_str());
  }
  auto weight = std::make_unique<PackedWeight>(&device, posed_weight::Kind::linear);
  weight->out = desc.out;
  weight->in = desc.in;
  weight->compute = desc.compute;
  weight->rows = round_up(desc.out, tile_rows);
  weight->row = round_up(desc.in, step_of(desc.compute));
  const Layout layout = layout_of(*weight, 1, desc.bias != nullptr);
  std::vector<std::byte> packed = host_memory(device, layout);
  const int64_t size = int64_t(size_of(desc.compute));
  for (int64_t o = 0; o < desc.out; ++o) {
    std::byte *row = packed.data() + o * weight->row * size;
    if (desc.dtype == desc.compute) {
      std::memcpy(row, static_cast<const std::byte *>(desc.data) + o * desc.in * size,
                  static_cast<size_t>(desc.in * size));
    } else {
      for (int64_t i = 0; i < desc.in; ++i) {
        write(row, desc.compute, i, read(desc.data, desc.dtype, o * desc.in + i));
      }
    }
  }
  finish(device, *weight, layout, desc.bias, packed);
  return weight;
}

std::unique_ptr<PackedWeight> pack(posed_device &device, const posed_conv2d_weight_desc &desc) {
  auto weight = std::make_unique<PackedWeight>(&device, posed_weight::Kind::conv2d);
  weight->compute = desc.compute;
  weight->filter = filter_of(desc);
  const bool enlarges = desc.upsample == 2;
  const int phases = enlarges ? 4 : 1, height = enlarges ? 2 : desc.kernel_h,
            width = enlarges ? 2 : desc.kernel_w;
  weight->channels = round_up(desc.in, chunk_of(desc.compute));
  weight->rows = round_up(desc.out, tile_rows);
  weight->row = round_up(int64_t(height) * width * weight->channels, step_of(desc.compute));
  weight->phase = weight->rows * weight->row;
  const Layout layout = layout_of(*weight, phases, desc.bias != nullptr);
  std::vector<std::byte> packed = host_memory(device, layout);
  for (int phase = 0; phase < phases; ++phase) {
    for (int64_t o = 0; o < desc.out; ++o) {
      for (int down = 0; down < height; ++down) {
        for (int across = 0; across < width; ++across) {
          const int64_t to =
              phase * weight->phase + o * weight->row + (int64_t(down) * width + across) * weight->channels;
          for (int64_t c = 0; c < desc.in; ++c) {
            const int64_t from = ((o * desc.in + c) * height + down) * width + across;
            const float value =
                enlarges ? folded(desc, phase, o, c, down, across) : read(desc.data, desc.dtype, from);
            write(packed.data(), desc.compute, to + c, value);
          }
        }
      }
    }
  }
  finish(device, *weight, layout, desc.bias, packed);
  return weight;
}

} // namespace posed::cuda
