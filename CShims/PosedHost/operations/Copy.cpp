// y = x with conversion of the type; both strided freely, rank up to 6; a stride of 0 on x
// broadcasts.
//
// Planning drops dimensions of one element, sorts the others by y's stride, and joins neighbours
// that both tensors walk without a gap. What is left is an outer grid over a plane of two inner
// dimensions: contiguous rows are converted by vector loops; a transposition is walked in tiles.
#include <array>

#include "Plans.h"
#include "posed_host/primitives.h"
#include "posed_plugin/scalar.h"

namespace posed {
namespace {

struct Dimension {
  int64_t extent, x, y; // strides in elements
};

struct Plane {
  int64_t rows, columns;
  int64_t x_row, x_column, y_row, y_column;
};

template <class Y, class X> void copy_element(Y &y, X x) { narrow(widen(x), y); }
template <class T> void copy_element(T &y, T x) { y = x; }

/// Any strides. Tiles keep both sides' cache lines until they are used up.
template <class Y, class X> void copy_plane(std::byte *to, const std::byte *from, const Plane &plane) {
  auto *y = reinterpret_cast<Y *>(to);
  auto *x = reinterpret_cast<const X *>(from);
  constexpr int64_t tile = 32;
  for (int64_t row0 = 0; row0 < plane.rows; row0 += tile) {
    int64_t row1 = std::min(row0 + tile, plane.rows);
    for (int64_t column0 = 0; column0 < plane.columns; column0 += tile) {
      int64_t column1 = std::min(column0 + tile, plane.columns);
      for (int64_t row = row0; row < row1; ++row) {
        for (int64_t column = column0; column < column1; ++column) {
          copy_element(y[row * plane.y_row + column * plane.y_column],
                       x[row * plane.x_row + column * plane.x_column]);
        }
      }
    }
  }
}

using PlaneCopy = void (*)(std::byte *, const std::byte *, const Plane &);

PlaneCopy plane_copy(uint32_t y, uint32_t x) {
  if (x == y) {
    switch (size_of(x)) {
    case 4:
      return copy_plane<uint32_t, uint32_t>;
    case 2:
      return copy_plane<uint16_t, uint16_t>;
    default:
      return copy_plane<uint8_t, uint8_t>;
    }
  }
  static constexpr PlaneCopy table[3][3] = {
      {nullptr, copy_plane<float, Float16>, copy_plane<float, BFloat16>},
      {copy_plane<Float16, float>, nullptr, copy_plane<Float16, BFloat16>},
      {copy_plane<BFloat16, float>, copy_plane<BFloat16, Float16>, nullptr}};
  return table[y - POSED_F32][x - POSED_F32];
}

class Copy final : public Operation {
public:
  Copy(const View &x, const View &y, const std::vector<Dimension> &dimensions, int64_t row_step,
       int64_t column_step)
      : Operation({tasks_for(unit_count(dimensions, row_step, column_step), y.count())}), x_(x), y_(y),
        outer_(dimensions.begin(), dimensions.end() - 2), row_(dimensions[dimensions.size() - 2]),
        column_(dimensions.back()), row_step_(row_step), column_step_(column_step),
        units_(unit_count(dimensions, row_step, column_step)),
        contiguous_(column_.x == 1 && column_.y == 1 && column_.extent >= 16),
        plane_copy_(plane_copy(y.dtype, x.dtype)) {}

  void run(int, int task, Worker &) override {
    Range units = piece(units_, task, tasks[0]);
    for (int64_t unit = units.first; unit < units.last; ++unit) copy(unit);
  }

  static int64_t unit_count(const std::vector<Dimension> &dimensions, int64_t row_step, int64_t column_step) {
    size_t rank = dimensions.size();
    int64_t count =
        blocks(dimensions[rank - 2].extent, row_step) * blocks(dimensions[rank - 1].extent, column_step);
    for (size_t i = 0; i + 2 < rank; ++i) count *= dimensions[i].extent;
    return count;
  }

private:
  void copy(int64_t unit) const {
    int64_t across = blocks(column_.extent, column_step_), down = blocks(row_.extent, row_step_);
    int64_t column = unit % across * column_step_, row = unit / across % down * row_step_;
    int64_t x = column * column_.x + row * row_.x, y = column * column_.y + row * row_.y;
    int64_t rest = unit / across / down;
    for (size_t i = outer_.size(); i-- > 0;) {
      int64_t index = rest % outer_[i].extent;
      rest /= outer_[i].extent;
      x += index * outer_[i].x;
      y += index * outer_[i].y;
    }
    Plane plane = {.rows = std::min(row_step_, row_.extent - row),
                   .columns = std::min(column_step_, column_.extent - column),
                   .x_row = row_.x,
                   .x_column = column_.x,
                   .y_row = row_.y,
                   .y_column = column_.y};
    const std::byte *from = x_.data + x * int64_t(x_.size());
    std::byte *to = y_.data + y * int64_t(y_.size());
    if (!contiguous_) return plane_copy_(to, from, plane);
    for (int64_t i = 0; i < plane.rows; ++i) {
      primitives().convert(to + i * row_.y * int64_t(y_.size()), y_.dtype,
                           from + i * row_.x * int64_t(x_.size()), x_.dtype, plane.columns);
    }
  }

  const View x_, y_;
  const std::vector<Dimension> outer_;
  const Dimension row_, column_;
  const int64_t row_step_, column_step_, units_;
  const bool contiguous_;
  const PlaneCopy plane_copy_;
};

std::vector<Dimension> simplified(const View &x, const View &y) {
  std::vector<Dimension> sorted;
  for (int i = 0; i < x.rank; ++i) {
    if (x.shape[i] > 1) sorted.push_back({x.shape[i], x.stride[i], y.stride[i]});
  }
  std::sort(sorted.begin(), sorted.end(), [](const Dimension &a, const Dimension &b) { return a.y > b.y; });
  std::vector<Dimension> joined;
  for (const Dimension &next : sorted) {
    if (!joined.empty() && joined.back().x == next.extent * next.x &&
        joined.back().y == next.extent * next.y) {
      joined.back() = {joined.back().extent * next.extent, next.x, next.y};
    } else {
      joined.push_back(next);
    }
  }
  while (joined.size() < 2) joined.insert(joined.begin(), Dimension{1, 0, 0});
  if (joined.back().extent == 1) joined.back() = {1, 1, 1};
  return joined;
}

} // namespace

OperationPointer plan(posed_device &, const CopyCall &call) {
  const View &x = call.x, &y = call.y;
  std::vector<Dimension> dimensions = simplified(x, y);
  const size_t last = dimensions.size() - 1;
  // Where y's innermost dimension jumps through x, bring the one that x walks best next to it.
  if (dimensions[last].x != 1) {
    for (size_t i = 0; i + 1 < last; ++i) {
      if (dimensions[i].x == 1) std::swap(dimensions[i], dimensions[last - 1]);
    }
  }
  bool contiguous = dimensions[last].x == 1 && dimensions[last].y == 1;
  int64_t column_step = contiguous ? 16384 : 256;
  int64_t columns = std::min(dimensions[last].extent, column_step);
  int64_t row_step = std::max<int64_t>(contiguous ? 16384 / columns : 32, 1);
  return std::make_unique<Copy>(x, y, dimensions, row_step, column_step);
}

} // namespace posed
