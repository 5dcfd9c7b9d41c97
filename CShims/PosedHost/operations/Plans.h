// The planning step of each operation: a checked call becomes an Operation.
#pragma once

#include <algorithm>

#include "posed_host/backend.h"
#include "posed_host/device.h"
#include "posed_host/operation.h"

namespace posed {

OperationPointer plan(posed_device &device, const CopyCall &call);
OperationPointer plan(posed_device &device, const CombineCall &call);
OperationPointer plan(posed_device &device, const ActivateCall &call);
OperationPointer plan(posed_device &device, const GluCall &call);
OperationPointer plan(posed_device &device, const QuantizeCall &call);
OperationPointer plan(posed_device &device, const LayerNormCall &call);
OperationPointer plan(posed_device &device, const GroupNormCall &call);

/// Tasks for `units` equal pieces of work that touch `elements` elements in all: enough of them to
/// share out, none so small that handing it out costs more than doing it.
inline int tasks_for(int64_t units, int64_t elements) {
  constexpr int64_t least = 8192, most = 256;
  return static_cast<int>(std::clamp<int64_t>(elements / least, 1, std::min(units, most)));
}

} // namespace posed
