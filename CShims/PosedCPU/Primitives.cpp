#include "posed_cpu/primitives.h"

#include "isa/Tables.h"
#include "posed_cpu/features.h"

namespace posed {

const Primitives &primitives() {
  static const Primitives &chosen = [&]() -> const Primitives & {
    switch (features().isa()) {
    case Isa::avx512:
      return avx512::table();
    case Isa::avx2:
      return avx2::table();
    case Isa::baseline:
      return baseline::table();
    }
    return baseline::table();
  }();
  return chosen;
}

} // namespace posed
