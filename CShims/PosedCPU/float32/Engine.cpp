#include "posed_cpu/features.h"
#include "posed_cpu/float32.h"

namespace posed::float32 {

const Engine &own_engine() {
  static const Engine engine = {
      .name = posed::name(features().isa()),
      .panel = primitives().panel,
      .exact_rows = true,
      .product = [](const Product &product, int64_t) { primitives().product(product); }};
  return engine;
}

} // namespace posed::float32
