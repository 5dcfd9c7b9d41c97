// y = bias + Σ coefficient[i] * x[i], in float32, in the order given.
//
// y, x[i]: dense, of one shape, each of any float type; y may be one of the x, since an element is written
// by the thread that has read it.
// Grid: one-dimensional, any size; threads stride over groups of four elements where all addresses allow
// it, else over single ones.
#include "elements.cuh"

using namespace posed::cuda;

POSED_KERNEL(combine_elements, CombineParameters, 256, 4) {
  for_elements(
      p.count, p.vectors,
      [&](Index i) {
        Four sum = {{p.bias, p.bias, p.bias, p.bias}};
        for (unsigned term = 0; term < p.terms; ++term) {
          Four values = load_four(p.x[term], p.x_type[term], i);
          for (int k = 0; k < 4; ++k) sum.at[k] = fmaf(p.coefficient[term], values.at[k], sum.at[k]);
        }
        store_four(p.y, p.y_type, i, sum);
      },
      [&](Index i) {
        float sum = p.bias;
        for (unsigned term = 0; term < p.terms; ++term) {
          sum = fmaf(p.coefficient[term], load(p.x[term], p.x_type[term], i), sum);
        }
        store(p.y, p.y_type, i, sum);
      });
}
