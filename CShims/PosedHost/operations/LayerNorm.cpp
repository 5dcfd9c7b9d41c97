// n = (x − mean) / √(variance + eps) over D, then n * gamma + beta ([D]), n * (1 + scale) + shift
// ([B, D]) or n alone. x, y [B, T, D]; a row is a task's unit.
#include "Plans.h"
#include "posed_host/primitives.h"

namespace posed {
namespace {

class LayerNorm final : public Operation {
public:
  LayerNorm(const View &x, const View &y, const View &multiply, const View &add, float eps)
      : Operation({tasks_for(x.shape[0] * x.shape[1], x.count())}), x_(x), y_(y), multiply_(multiply),
        add_(add), eps_(eps) {}

  void run(int, int task, Worker &) override {
    int64_t tokens = x_.shape[1];
    Range rows = piece(x_.shape[0] * tokens, task, tasks[0]);
    for (int64_t row = rows.first; row < rows.last; ++row) {
      int64_t b = row / tokens, t = row % tokens;
      primitives().layer_norm({.x = x_.at(b, t),
                               .y = y_.at(b, t),
                               .x_type = x_.dtype,
                               .y_type = y_.dtype,
                               .multiply = vector(multiply_, b),
                               .add = vector(add_, b),
                               .plus_one = multiply_.rank == 2,
                               .eps = eps_},
                              x_.shape[2]);
    }
  }

private:
  static const float *vector(const View &view, int64_t b) {
    if (!view) return nullptr;
    return reinterpret_cast<const float *>(view.rank == 2 ? view.at(b) : view.data);
  }

  const View x_, y_, multiply_, add_;
  const float eps_;
};

} // namespace

OperationPointer plan(posed_device &, const LayerNormCall &call) {
  return std::make_unique<LayerNorm>(call.x, call.y, call.multiply, call.add, call.eps);
}

} // namespace posed
