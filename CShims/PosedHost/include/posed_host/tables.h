// The tables of the instruction sets, of those that a plugin has. Only the one that `primitives()` picks may
// be called into.
#pragma once

#include "posed_host/primitives.h"

namespace posed {
namespace avx512 {
const Primitives &table();
}
namespace avx2 {
const Primitives &table();
}
namespace baseline {
const Primitives &table();
}
} // namespace posed
