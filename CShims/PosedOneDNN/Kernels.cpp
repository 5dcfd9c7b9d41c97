// Bfloat16 is served by oneDNN where the system grants AMX, by the hand-written kernels where the processor
// has AVX-512 with BF16, and by oneDNN otherwise; 8 bits by the hand-written ones alone, float32 always by
// oneDNN. The hand-written kernels on AMX tiles have run on no processor yet, so they are for those who ask.
#include "Kernels.h"

#include <cstdlib>
#include <string_view>

#include "Eight.h"
#include "Library.h"
#include "Panels.h"
#include "posed_cpu/features.h"

namespace posed::onednn {
namespace {

class OneDnnKernels final : public Kernels {
public:
  /// Without an engine, bfloat16 is oneDNN's where that is fast, and not offered elsewhere.
  OneDnnKernels(const Ability &ability, int threads, const Engine *engine)
      : bf16_(engine != nullptr || ability.library_bf16), library_amx_(ability.library_amx), engine_(engine),
        eight_(eight_bit_engine(engine, ability)), library_(threads) {}

  std::string numerics() const override {
    const std::string prefix = "onednn-" + library_version();
    if (engine_ != nullptr) return prefix + "-panels-bf16-" + engine_->name;
    return prefix + (bf16_ ? "-bf16-" : "-f32-") + (library_amx_ ? "amx" : name(features().isa()));
  }
  uint32_t compute_types() const override {
    return 1u << POSED_F32 | (bf16_ ? 1u << POSED_BF16 : 0u) | (eight_ ? 1u << POSED_I8 : 0u);
  }
  uint32_t preferred() const override { return bf16_ ? POSED_BF16 : POSED_F32; }

  bool supports(const posed_op_query &query, std::string &why) const override {
    const bool fits = query.compute != POSED_I8 || query.sizes[0] <= kMostEightBit;
    if (!fits) why = "The onednn backend takes up to " + std::to_string(kMostEightBit) + " inputs in 8 bits.";
    return fits;
  }

  std::unique_ptr<posed_weight> pack_linear(posed_device &device,
                                            const posed_linear_weight_desc &desc) override {
    const Engine *engine = own_engine(desc.compute);
    return engine ? pack_panel_linear(device, *engine, desc) : pack_library_linear(device, library_, desc);
  }
  std::unique_ptr<posed_weight> pack_conv2d(posed_device &device,
                                            const posed_conv2d_weight_desc &desc) override {
    const Engine *engine = own_engine(desc.compute);
    return engine ? pack_panel_conv2d(device, *engine, desc) : pack_library_conv2d(device, library_, desc);
  }
  OperationPointer plan_linear(posed_device &device, const LinearCall &call) override {
    const Engine *engine = own_engine(call.weight->compute);
    return engine ? plan_panel_linear(device, *engine, call) : plan_library_linear(device, library_, call);
  }
  OperationPointer plan_conv2d(posed_device &device, const ConvCall &call) override {
    const Engine *engine = own_engine(call.weight->compute);
    return engine ? plan_panel_conv2d(device, *engine, call) : plan_library_conv2d(device, library_, call);
  }
  OperationPointer plan_attention(posed_device &device, const AttentionCall &call) override {
    if ((compute_types() & 1u << call.q.dtype) == 0) {
      fail(POSED_UNSUPPORTED, "attention: q is %s; the onednn backend takes %s here.",
           name_of(call.q.dtype).c_str(), bf16_ ? "f32 or bf16" : "f32");
    }
    const Engine *engine = own_engine(call.q.dtype);
    return engine ? plan_panel_attention(device, *engine, call) : plan_library_attention(library_, call);
  }
  void enter_thread() const override { use_one_thread(); }

private:
  /// Null: the library computes.
  const Engine *own_engine(uint32_t compute) const {
    return compute == POSED_BF16 ? engine_ : compute == POSED_I8 ? eight_ : nullptr;
  }

  /// The engine of 8 bits that goes with one of bfloat16, or null.
  static const Engine *eight_bit_engine(const Engine *engine, const Ability &ability) {
    const bool beside_library = engine == nullptr && ability.library_amx;
    if ((engine == &kAvx512Engine || beside_library) && ability.eight) return &kVnniEngine;
    if (engine == &kEmulatedAmxEngine) return &kEmulatedAmxEightEngine;
    return engine == &kAmxEngine ? &kAmxEightEngine : nullptr;
  }

  const bool bf16_, library_amx_;
  const Engine *const engine_, *const eight_;
  const Library library_;
};

} // namespace

std::string library_version() {
  const dnnl_version_t *version = dnnl_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

Choice choice_from_environment() {
  const char *text = std::getenv("POSED_ONEDNN_KERNELS");
  std::string_view value = text == nullptr ? "auto" : text;
  if (value == "onednn") return Choice::library;
  if (value == "own") return Choice::own;
  if (value == "tiles") return Choice::tiles;
  if (value.empty() || value == "auto") return Choice::automatic;
  fail(POSED_INVALID_ARGUMENT,
       "POSED_ONEDNN_KERNELS is \"%s\"; expected \"auto\", \"onednn\", \"own\" or \"tiles\".", text);
}

Ability ability() {
  Ability result;
  result.own = features().avx512_bf16;
  result.eight = result.own && features().avx512_vnni;
  result.amx = request_amx(); // before oneDNN looks
  const dnnl::cpu_isa library = dnnl::get_effective_cpu_isa();
  result.library_amx = library == dnnl::cpu_isa::avx512_core_amx;
  result.library_bf16 = result.library_amx || library == dnnl::cpu_isa::avx512_core_bf16;
  return result;
}

/// Null: oneDNN serves bfloat16.
const Engine *choose_engine(Choice choice, const Ability &found) {
  if (choice == Choice::library) return nullptr;
  if (!found.own) {
    if (choice == Choice::automatic) return nullptr;
    fail(POSED_UNSUPPORTED,
         "POSED_ONEDNN_KERNELS asks for kernels that need AVX-512 with BF16, which this machine lacks.");
  }
  if (choice == Choice::automatic) return found.library_amx ? nullptr : &kAvx512Engine;
  if (choice == Choice::own) return &kAvx512Engine;
  if (!found.amx) return &kEmulatedAmxEngine;
  const bool trusted = agree(kAmxEngine, kAvx512Engine) && agree(kAmxEightEngine, kVnniEngine);
  return trusted ? &kAmxEngine : nullptr;
}

std::unique_ptr<Kernels> make_kernels(Choice choice, int threads) {
  const Ability found = ability();
  return std::make_unique<OneDnnKernels>(found, threads, choose_engine(choice, found));
}

} // namespace posed::onednn
