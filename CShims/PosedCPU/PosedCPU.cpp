// The backend `cpu`: kernels of our own in float32, bfloat16 and 8 bits, chosen by instruction set.
#include <cstdio>

#include "engines.h"
#include "float32/float32.h"
#include "posed_host/device.h"
#include "processor.h"
#include "reduced/panels.h"

namespace posed {
namespace {

constexpr char plugin_name[] = "cpu";

class CPUKernels final : public Kernels {
public:
  explicit CPUKernels(const InstructionSet &set) : set_(set) {}

  std::string processor() const override { return features().name; }
  std::string numerics() const override { return std::string(plugin_name) + "-" + set_.name; }
  uint32_t compute_types() const override {
    return 1u << POSED_F32 | (set_.bf16 ? 1u << POSED_BF16 : 0u) | (set_.int8 ? 1u << POSED_I8 : 0u);
  }
  uint32_t preferred() const override { return set_.prefers_bf16 ? POSED_BF16 : POSED_F32; }

  bool supports(const posed_op_query &query, std::string &why) const override {
    const bool fits = query.compute != POSED_I8 || query.sizes[0] <= reduced::most_int8_features;
    if (!fits) {
      why = std::string("The cpu backend takes up to ") + std::to_string(reduced::most_int8_features) +
            " inputs in 8 bits.";
    }
    return fits;
  }

  std::unique_ptr<posed_weight> pack_linear(posed_device &device,
                                            const posed_linear_weight_desc &desc) override {
    const reduced::Engine *engine = engine_of(desc.compute);
    return engine ? reduced::pack_linear(device, *engine, desc) : float32::pack_linear(device, desc);
  }
  std::unique_ptr<posed_weight> pack_conv2d(posed_device &device,
                                            const posed_conv2d_weight_desc &desc) override {
    const reduced::Engine *engine = engine_of(desc.compute);
    return engine ? reduced::pack_conv2d(device, *engine, desc) : float32::pack_conv2d(device, desc);
  }
  OperationPointer plan_linear(posed_device &device, const LinearCall &call) override {
    const reduced::Engine *engine = engine_of(call.weight->compute);
    return engine ? reduced::plan_linear(device, *engine, call) : float32::plan_linear(device, call);
  }
  OperationPointer plan_conv2d(posed_device &device, const ConvCall &call) override {
    const reduced::Engine *engine = engine_of(call.weight->compute);
    return engine ? reduced::plan_conv2d(device, *engine, call) : float32::plan_conv2d(device, call);
  }
  OperationPointer plan_attention(posed_device &device, const AttentionCall &call) override {
    if ((compute_types() & 1u << call.q.dtype) == 0) {
      fail(POSED_UNSUPPORTED, "attention: q is %s; the cpu backend takes %s here.",
           name_of(call.q.dtype).c_str(), set_.bf16 ? "f32 or bf16" : "f32");
    }
    const reduced::Engine *engine = engine_of(call.q.dtype);
    return engine ? reduced::plan_attention(device, *engine, call) : float32::plan_attention(device, call);
  }

private:
  /// Of bfloat16 and 8 bits; null: float32.
  const reduced::Engine *engine_of(uint32_t compute) const {
    return compute == POSED_BF16 ? set_.bf16 : compute == POSED_I8 ? set_.int8 : nullptr;
  }

  const InstructionSet &set_;
};

void probe(posed_probe_result &result) {
  result.score = 50;
  result.devices = 1;
  std::snprintf(result.summary, sizeof result.summary, "%.120s: %s.", features().name.c_str(),
                instruction_set().summary);
}

std::unique_ptr<Kernels> open(const posed_device_options &, int) {
  return std::make_unique<CPUKernels>(instruction_set());
}

constexpr Plugin plugin = {.name = plugin_name, .version = "1.0", .probe = probe, .open = open};

} // namespace
} // namespace posed

extern "C" POSED_EXPORT const posed_backend *posed_backend_entry(uint32_t host_abi);

const posed_backend *posed_backend_entry(uint32_t host_abi) {
  return posed::make_backend(posed::plugin, host_abi);
}
