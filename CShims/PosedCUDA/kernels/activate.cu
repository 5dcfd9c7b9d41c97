// y = act(x), elementwise.
//
// x, y: dense, of one shape, each of any float type; y may be x.
// Grid: one-dimensional, any size; threads stride over groups of four elements where both addresses allow
// it, else over single ones.
#include "elements.cuh"

using namespace posed::cuda;

POSED_KERNEL(activate_elements, ActivateParameters, 256, 4) {
  for_elements(
      p.count, p.vectors,
      [&](Index i) {
        Four values = load_four(p.x, p.x_type, i);
        for (float &value : values.at) value = activate(value, p.activation);
        store_four(p.y, p.y_type, i, values);
      },
      [&](Index i) { store(p.y, p.y_type, i, activate(load(p.x, p.x_type, i), p.activation)); });
}
