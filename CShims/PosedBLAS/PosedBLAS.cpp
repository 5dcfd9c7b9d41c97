// The backend `blas`: everything in float32, products by the machine's BLAS, the rest in portable C++. The
// reference of the other backends, and what runs on a processor that nobody has written kernels for.
#include <cstdio>

#include "blas.h"
#include "kernels.h"
#include "posed_host/tables.h"

namespace posed {

const Primitives &primitives() { return baseline::table(); }

namespace {

class BLASKernels final : public Kernels {
public:
  std::string processor() const override { return blas::library().name; }
  std::string numerics() const override { return "blas-f32-" + blas::library().name; }
  uint32_t compute_types() const override { return 1u << POSED_F32; }
  uint32_t preferred() const override { return POSED_F32; }
  bool supports(const posed_op_query &, std::string &) const override { return true; }

  std::unique_ptr<posed_weight> pack_linear(posed_device &device,
                                            const posed_linear_weight_desc &desc) override {
    return blas::pack_linear(device, desc);
  }
  std::unique_ptr<posed_weight> pack_conv2d(posed_device &device,
                                            const posed_conv2d_weight_desc &desc) override {
    return blas::pack_conv2d(device, desc);
  }
  OperationPointer plan_linear(posed_device &, const LinearCall &call) override {
    return blas::plan_linear(call);
  }
  OperationPointer plan_conv2d(posed_device &, const ConvCall &call) override {
    return blas::plan_conv2d(call);
  }
  OperationPointer plan_attention(posed_device &, const AttentionCall &call) override {
    if (call.q.dtype != POSED_F32) {
      fail(POSED_UNSUPPORTED, "attention: q is %s; the blas backend takes f32.",
           name_of(call.q.dtype).c_str());
    }
    return blas::plan_attention(call);
  }
};

void probe(posed_probe_result &result) {
  const blas::Library &library = blas::library();
  const bool found = library.problem.empty();
  result.score = found ? 10 : 0;
  result.devices = found ? 1 : 0;
  const std::string summary = found ? "float32 by " + library.name + "." : library.problem;
  std::snprintf(result.summary, sizeof result.summary, "%s", summary.c_str());
}

std::unique_ptr<Kernels> open(const posed_device_options &, int) {
  if (!blas::library().problem.empty()) fail(POSED_UNSUPPORTED, "%s", blas::library().problem.c_str());
  return std::make_unique<BLASKernels>();
}

constexpr Plugin plugin = {.name = "blas", .version = "1.0", .probe = probe, .open = open};

} // namespace
} // namespace posed

extern "C" POSED_EXPORT const posed_backend *posed_backend_entry(uint32_t host_abi);

const posed_backend *posed_backend_entry(uint32_t host_abi) {
  return posed::make_backend(posed::plugin, host_abi);
}
