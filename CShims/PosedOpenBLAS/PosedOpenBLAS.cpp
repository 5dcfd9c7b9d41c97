// The backend `blas`: everything in float32, on any x86-64 processor, and the reference of the
// others.
#include <cstdio>

#include "OpenBLAS.h"
#include "posed_cpu/device.h"
#include "posed_cpu/features.h"
#include "posed_cpu/float32.h"

namespace {

using namespace posed;

class FloatKernels final : public Kernels {
public:
  explicit FloatKernels(const float32::Engine &engine) : engine_(engine) {}

  std::string numerics() const override { return "blas-f32-" + engine_.name; }
  uint32_t compute_types() const override { return 1u << POSED_F32; }
  uint32_t preferred() const override { return POSED_F32; }
  bool supports(const posed_op_query &, std::string &) const override { return true; }

  std::unique_ptr<posed_weight> pack_linear(posed_device &device,
                                            const posed_linear_weight_desc &desc) override {
    return float32::pack_linear(device, engine_, desc);
  }
  std::unique_ptr<posed_weight> pack_conv2d(posed_device &device,
                                            const posed_conv2d_weight_desc &desc) override {
    return float32::pack_conv2d(device, engine_, desc);
  }
  OperationPointer plan_linear(posed_device &device, const LinearCall &call) override {
    return float32::plan_linear(device, engine_, call);
  }
  OperationPointer plan_conv2d(posed_device &device, const ConvCall &call) override {
    return float32::plan_conv2d(device, engine_, call);
  }
  OperationPointer plan_attention(posed_device &device, const AttentionCall &call) override {
    if (call.q.dtype != POSED_F32) {
      fail(POSED_UNSUPPORTED, "attention: q is %s; the blas backend takes f32.",
           name_of(call.q.dtype).c_str());
    }
    return float32::plan_attention(device, call);
  }

private:
  const float32::Engine &engine_;
};

void probe(posed_probe_result &result) {
  result.score = 10;
  result.devices = 1;
  std::string instructions = name(features().isa());
  std::snprintf(result.summary, sizeof result.summary, "%.120s, float32 with %s instructions.",
                features().name.c_str(), instructions.c_str());
}

std::unique_ptr<Kernels> open(const posed_device_options &, int) {
  return std::make_unique<FloatKernels>(blas::choose_engine());
}

constexpr Plugin plugin = {.name = "blas", .version = "1.0", .probe = probe, .open = open};

} // namespace

extern "C" POSED_EXPORT const posed_backend *posed_backend_entry(uint32_t host_abi);

const posed_backend *posed_backend_entry(uint32_t host_abi) { return posed::make_backend(plugin, host_abi); }
