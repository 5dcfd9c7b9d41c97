// Packs a convolution's filter into panels, depth in the order ky, kx, channel.
//
// Three forms. Plain: [kh][kw][C]. Enlarging: four 2×2 filters, one for each parity of the output's row
// and column, whose taps are sums of the 3×3's. Winograd: a filter G g Gᵀ of 4×4 places, each a matrix of
// its own.
#include <algorithm>

#include "panels.h"
#include "posed_host/primitives.h"

namespace posed::float32 {
namespace {

/// Rows of a filter as the panels want them: depth in the order ky, kx, channel.
struct FilterRows {
  const posed_conv2d_weight_desc &desc;
  std::vector<float> source; // one output channel, [in][kh][kw]

  explicit FilterRows(const posed_conv2d_weight_desc &desc)
      : desc(desc), source(static_cast<size_t>(desc.in) * static_cast<size_t>(desc.kernel_h) *
                           static_cast<size_t>(desc.kernel_w)) {}

  void read(int64_t out) {
    auto count = static_cast<int64_t>(source.size());
    auto *data = static_cast<const std::byte *>(desc.data) + out * count * int64_t(size_of(desc.dtype));
    primitives().convert(source.data(), POSED_F32, data, desc.dtype, count);
  }
  float tap(int64_t channel, int64_t ky, int64_t kx) const {
    return source[static_cast<size_t>((channel * desc.kernel_h + ky) * desc.kernel_w + kx)];
  }
  void plain(float *row) const {
    for (int64_t ky = 0; ky < desc.kernel_h; ++ky) {
      for (int64_t kx = 0; kx < desc.kernel_w; ++kx) {
        for (int64_t c = 0; c < desc.in; ++c) *row++ = tap(c, ky, kx);
      }
    }
  }
  /// The taps of a 3 that fall on tap `i` of the 2 that an output of this parity sees: the even one
  /// sees {0} and {1, 2}, the odd one {0, 1} and {2}.
  static Range folded(int64_t parity, int64_t i) {
    int64_t middle = parity == 0 ? 1 : 2;
    return i == 0 ? Range{0, middle} : Range{middle, 3};
  }
  /// Row `ky` of G g, for each kx: g0, (g0 + g1 + g2) / 2, (g0 − g1 + g2) / 2, g2.
  static void expand(float g0, float g1, float g2, float *to, int64_t step) {
    float half = 0.5f * (g0 + g2), middle = 0.5f * g1;
    to[0] = g0;
    to[step] = half + middle;
    to[2 * step] = half - middle;
    to[3 * step] = g2;
  }
  /// G g Gᵀ of each channel; place i goes to to[i * step + channel].
  void winograd(float *to, int64_t step) const {
    for (int64_t c = 0; c < desc.in; ++c) {
      float columns[4][3], places[16];
      for (int64_t kx = 0; kx < 3; ++kx) {
        expand(tap(c, 0, kx), tap(c, 1, kx), tap(c, 2, kx), &columns[0][kx], 3);
      }
      for (int64_t i = 0; i < 4; ++i) {
        expand(columns[i][0], columns[i][1], columns[i][2], places + 4 * i, 1);
      }
      for (int64_t i = 0; i < 16; ++i) to[i * step + c] = places[i];
    }
  }
  void enlarging(int64_t down, int64_t right, float *row) const {
    for (int64_t i = 0; i < 2; ++i) {
      for (int64_t j = 0; j < 2; ++j) {
        Range ys = folded(down, i), xs = folded(right, j);
        for (int64_t c = 0; c < desc.in; ++c) {
          double sum = 0;
          for (int64_t ky = ys.first; ky < ys.last; ++ky) {
            for (int64_t kx = xs.first; kx < xs.last; ++kx) sum += double(tap(c, ky, kx));
          }
          *row++ = static_cast<float>(sum);
        }
      }
    }
  }
};

/// Worth its transforms: many channels on both sides.
bool suits_winograd(const posed_conv2d_weight_desc &desc) {
  bool square = desc.kernel_h == 3 && desc.kernel_w == 3 && desc.stride_h == 1 && desc.stride_w == 1;
  bool padded = desc.pad_top == 1 && desc.pad_left == 1 && desc.pad_bottom == 1 && desc.pad_right == 1;
  return square && padded && desc.upsample == 1 && desc.in >= 64 && desc.in % 16 == 0 && desc.out >= 64;
}

void pack_winograd(PackedWeight &weight, FilterRows &rows) {
  const Panels &shape = weight.variant[0];
  const int64_t step = Panels::strip * shape.depth();
  std::vector<float> buffer(static_cast<size_t>(16 * step)); // [16][strip][depth]
  for (int64_t column = 0; column < shape.count() * shape.panel(); column += Panels::strip) {
    std::fill(buffer.begin(), buffer.end(), 0.0f);
    for (int64_t i = 0; i < std::min(Panels::strip, shape.columns() - column); ++i) {
      rows.read(column + i);
      rows.winograd(buffer.data() + i * shape.depth(), step);
    }
    for (int64_t i = 0; i < 16; ++i) weight.variant[i].put(column, buffer.data() + i * step);
  }
}

} // namespace

std::unique_ptr<posed_weight> pack_conv2d(posed_device &device, const posed_conv2d_weight_desc &desc) {
  auto weight = std::make_unique<PackedWeight>(&device, posed_weight::Kind::conv2d);
  const bool enlarges = desc.upsample == 2;
  weight->winograd = suits_winograd(desc);
  int64_t taps = weight->winograd ? 1 : enlarges ? 4 : int64_t(desc.kernel_h) * desc.kernel_w;
  int64_t variants = weight->winograd ? 16 : enlarges ? 4 : 1, bias = desc.bias == nullptr ? 0 : desc.out;
  Panels shape(desc.out, taps * desc.in, primitives().panel);
  weight->memory = device.allocate(static_cast<uint64_t>(variants * shape.floats() + bias) * sizeof(float));
  for (int64_t i = 0; i < variants; ++i) {
    weight->variant[i] = shape;
    weight->variant[i].place(weight->memory.as<float>() + i * shape.floats());
  }
  FilterRows rows(desc);
  if (weight->winograd) {
    pack_winograd(*weight, rows);
  } else {
    std::vector<float> buffer(static_cast<size_t>(Panels::strip * shape.depth()));
    for (int64_t i = 0; i < variants; ++i) {
      weight->variant[i].fill(buffer.data(), [&](int64_t column, float *row) {
        rows.read(column);
        enlarges ? rows.enlarging(i / 2, i % 2, row) : rows.plain(row);
      });
    }
  }
  if (bias > 0) {
    weight->bias = weight->memory.as<float>() + variants * shape.floats();
    std::copy_n(desc.bias, bias, weight->bias);
  }
  return weight;
}

} // namespace posed::float32
