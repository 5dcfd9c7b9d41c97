// Strided copies: see kernels/copy.cu. Dimensions of one element are dropped, the others sorted by y's
// stride, and neighbours joined that both tensors walk without a gap.
#include <array>

#include "Plans.h"

namespace posed::cuda {
namespace {

constexpr unsigned threads = 256, tile = 32;
constexpr int64_t most_planes = 65535; // of a grid's second dimension

struct Dimension {
  int64_t extent, x, y; // strides in elements
};

/// Outermost first; the last `most_dimensions` are the copy's, leading ones 1 long.
std::array<Dimension, most_dimensions> simplified(const View &x, const View &y) {
  std::vector<Dimension> sorted, joined;
  for (int i = 0; i < x.rank; ++i) {
    if (x.shape[i] > 1) sorted.push_back({x.shape[i], x.stride[i], y.stride[i]});
  }
  std::sort(sorted.begin(), sorted.end(), [](const Dimension &a, const Dimension &b) { return a.y > b.y; });
  for (const Dimension &next : sorted) {
    if (!joined.empty() && joined.back().x == next.extent * next.x &&
        joined.back().y == next.extent * next.y) {
      joined.back() = {joined.back().extent * next.extent, next.x, next.y};
    } else {
      joined.push_back(next);
    }
  }
  std::array<Dimension, most_dimensions> result;
  result.fill({1, 0, 0});
  std::copy(joined.begin(), joined.end(), result.end() - static_cast<ptrdiff_t>(joined.size()));
  return result;
}

ModuleKey module_of(const View &x, const View &y) {
  static constexpr const char *bits[] = {"", "unsigned char", "unsigned short", "", "unsigned"};
  const char *from = type_name(x.dtype), *to = type_name(y.dtype);
  if (x.dtype == y.dtype) from = to = bits[x.size()];
  return {"copy.cu", {std::string("POSED_X=") + from, std::string("POSED_Y=") + to}};
}

/// Puts the dimension that x walks without a gap next to the innermost; whether tiles serve the plane of
/// both.
bool turn(std::array<Dimension, most_dimensions> &dimensions) {
  Dimension &column = dimensions[most_dimensions - 1], &row = dimensions[most_dimensions - 2];
  if (column.x == 1 || column.y != 1) return false;
  for (Dimension &d : dimensions) {
    if (&d != &column && d.x == 1 && d.extent > 1) std::swap(d, row);
  }
  int64_t planes = 1;
  for (int i = 0; i + 2 < most_dimensions; ++i) planes *= dimensions[size_t(i)].extent;
  return row.x == 1 && row.extent >= 8 && column.extent >= 8 && planes <= most_planes;
}

bool by_fours(const View &x, const View &y, const std::array<Dimension, most_dimensions> &dimensions) {
  const Dimension &inner = dimensions.back();
  bool fours = inner.x == 1 && inner.y == 1 && inner.extent % 4 == 0 && allows_fours(x) && allows_fours(y);
  for (size_t i = 0; i + 1 < dimensions.size(); ++i) {
    fours = fours && dimensions[i].x % 4 == 0 && dimensions[i].y % 4 == 0;
  }
  return fours;
}

} // namespace

void submit(posed_stream &stream, const CopyCall &call) {
  auto dimensions = simplified(call.x, call.y);
  const bool fours = by_fours(call.x, call.y, dimensions), turned = !fours && turn(dimensions);
  if (fours) {
    dimensions.back().extent /= 4;
    dimensions.back().x = dimensions.back().y = 4;
  }
  CopyParameters parameters = {};
  parameters.x = call.x.data;
  parameters.y = call.y.data;
  parameters.count = static_cast<unsigned>(narrow_count(call.y.count() / (fours ? 4 : 1), "copy"));
  int64_t planes = 1;
  for (int i = 0; i < most_dimensions; ++i) {
    const Dimension &d = dimensions[size_t(i)];
    parameters.extent[i] = static_cast<unsigned>(d.extent);
    parameters.x_stride[i] = d.x;
    parameters.y_stride[i] = d.y;
    if (i + 2 < most_dimensions) planes *= d.extent;
  }
  Kernels &kernels = stream.device->kernels;
  const ModuleKey module = module_of(call.x, call.y);
  if (!turned) {
    Kernel kernel = kernels.get(module, fours ? "copy_four" : "copy", threads, 0);
    return stream.launch(kernel, stride_grid(*stream.device, parameters.count, threads), parameters);
  }
  const unsigned rows = parameters.extent[most_dimensions - 2],
                 columns = parameters.extent[most_dimensions - 1];
  const Grid grid = {(rows + tile - 1) / tile * ((columns + tile - 1) / tile), static_cast<unsigned>(planes),
                     1};
  const auto bytes = static_cast<unsigned>(tile * (tile + 1) * call.x.size());
  stream.launch(kernels.get(module, "copy_turned", threads, bytes), grid, parameters);
}

} // namespace posed::cuda
