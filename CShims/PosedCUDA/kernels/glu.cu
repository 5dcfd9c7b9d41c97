// y = act(a) * b with [a | b] the halves of a row of x: SwiGLU's product.
//
// x [B, T, 2·D], y [B, T, D]: rows strided freely, each of any float type.
// Grid: one-dimensional, any size; threads stride over the elements of y, four at a time where D, the
// strides and the addresses allow it.
#include "elements.cuh"

using namespace posed::cuda;

POSED_KERNEL(glu_rows, GluParameters, 256, 4) {
  const int wide = p.vectors ? 4 : 1;
  const Index across = p.width / wide;
  Index step = Index(gridDim.x) * blockDim.x;
  for (Index i = Index(blockIdx.x) * blockDim.x + threadIdx.x; i < p.rows * across; i += step) {
    Index row = i / across, column = i % across;
    Index x = row / p.tokens * p.x_batch + row % p.tokens * p.x_token;
    Index y = row / p.tokens * p.y_batch + row % p.tokens * p.y_token;
    if (p.vectors) {
      Four a = load_four(p.x, p.x_type, x / 4 + column);
      Four b = load_four(p.x, p.x_type, (x + p.width) / 4 + column);
      for (int k = 0; k < 4; ++k) a.at[k] = activate(a.at[k], p.activation) * b.at[k];
      store_four(p.y, p.y_type, y / 4 + column, a);
    } else {
      float a = load(p.x, p.x_type, x + column), b = load(p.x, p.x_type, x + p.width + column);
      store(p.y, p.y_type, y + column, activate(a, p.activation) * b);
    }
  }
}
