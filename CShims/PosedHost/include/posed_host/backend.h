// A device in host memory: what a plugin that computes on processors supplies, and the helper that makes a
// posed_backend of it. A plugin implements linear, conv2d and attention, and picks the loops of the other
// operations by defining `primitives()` (primitives.h); everything else is here.
#pragma once

#include <memory>
#include <string>

#include "posed_host/operation.h"
#include "posed_plugin/calls.h"
#include "posed_plugin/status.h"

namespace posed {

/// The mathematics of a plugin. Called from any thread; `plan_*` and `pack_*` may be called at once
/// from several. The device outlives every weight and operation.
class Kernels {
public:
  virtual ~Kernels() = default;

  /// What computes, for people: "AMD EPYC", "OpenBLAS 0.3.21".
  virtual std::string processor() const = 0;
  /// Class of results: equal strings promise equal bits.
  virtual std::string numerics() const = 0;
  /// Bits (1 << posed_dtype) of the compute types of linear, conv2d and attention.
  virtual uint32_t compute_types() const = 0;
  virtual uint32_t preferred() const = 0;
  /// For linear, conv2d and attention whose compute type is among compute_types(). On false `why`
  /// holds a sentence.
  virtual bool supports(const posed_op_query &query, std::string &why) const = 0;

  /// Descriptors are checked before these calls.
  virtual std::unique_ptr<posed_weight> pack_linear(posed_device &device,
                                                    const posed_linear_weight_desc &desc) = 0;
  virtual std::unique_ptr<posed_weight> pack_conv2d(posed_device &device,
                                                    const posed_conv2d_weight_desc &desc) = 0;
  virtual OperationPointer plan_linear(posed_device &device, const LinearCall &call) = 0;
  virtual OperationPointer plan_conv2d(posed_device &device, const ConvCall &call) = 0;
  virtual OperationPointer plan_attention(posed_device &device, const AttentionCall &call) = 0;
};

/// A plugin's own part of the table.
struct Plugin {
  const char *name; // "blas"
  const char *version;
  /// Fills score, devices and summary; throws a Failure only for defects.
  void (*probe)(posed_probe_result &result);
  /// Makes the mathematics for a device; throws where the machine will not do.
  std::unique_ptr<Kernels> (*open)(const posed_device_options &options, int threads);
};

/// The table for `posed_backend_entry`. `plugin` must be a constant of static storage: a process has
/// one plugin per shared library. NULL when the host's ABI is of another major version.
const posed_backend *make_backend(const Plugin &plugin, uint32_t host_abi);

} // namespace posed
