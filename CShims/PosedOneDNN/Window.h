// The filters that a convolution comes to.
//
// With `upsample` 2 a 3×3 filter over the enlarged image is four 2×2 filters over the image itself,
// one for each parity (a, b) of the output pixel (2i + a, 2j + b): for a = 0 the kernel's rows act on
// x's rows i − 1, i, i as (w0, w1 + w2), for a = 1 on i, i, i + 1 as (w0 + w1, w2); columns alike.
// Any other convolution is one filter, the given one.
#pragma once

#include "posed_cpu/backend.h"

namespace posed::onednn {

struct Window {
  int kernel_h, kernel_w, stride_h, stride_w, top, left; // top, left: pixels of padding
};

inline int window_count(int upsample) { return upsample == 2 ? 4 : 1; }

/// Filter `index` = 2a + b of a convolution.
inline Window window(const Filter &filter, int index) {
  if (filter.upsample == 2) return {2, 2, 1, 1, 1 - index / 2, 1 - index % 2};
  return {filter.kernel_h, filter.kernel_w, filter.stride_h,
          filter.stride_w, filter.pad_top,  filter.pad_left};
}

/// Columns of `window_row` for the filter `index`.
inline int64_t window_columns(const posed_conv2d_weight_desc &desc, int64_t channels) {
  return channels * (desc.upsample == 2 ? 4 : int64_t(desc.kernel_h) * desc.kernel_w);
}

/// Output channel `row` of filter `index` as [kernel row][kernel column][C] float32, added to `to`;
/// `source` has room for the channel as given.
void window_row(const posed_conv2d_weight_desc &desc, int index, int64_t row, float *source, float *to);

} // namespace posed::onednn
