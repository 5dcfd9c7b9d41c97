// n = (x − mean) / √(variance + eps) over D, then n * gamma + beta ([D]), n * (1 + scale) + shift
// ([B, D]) or n alone. x, y [B, T, D]; a row is a task's unit.
#include "Plans.h"
#include "posed_cpu/primitives.h"

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

View pair_member(const posed_tensor &tensor, const char *name, int rank) {
  Expect expect{
      .operation = "layer_norm", .tensor = name, .rank = rank, .optional = true, .broadcast = rank == 2};
  View view = resolve(tensor, expect);
  if (view && view.dtype != POSED_F32) {
    fail(POSED_INVALID_ARGUMENT, "layer_norm: %s is %s; expected f32.", name, name_of(view.dtype).c_str());
  }
  return view;
}

void require_both(const View &one, const View &two, const char *names) {
  if (bool(one) == bool(two)) return;
  fail(POSED_INVALID_ARGUMENT, "layer_norm: %s come in pairs; only one of them was given.", names);
}

} // namespace

OperationPointer plan_layer_norm(const posed_layer_norm_desc &desc) {
  Expect of_y{.operation = "layer_norm", .tensor = "y", .rank = 3};
  View x = resolve(desc.x, {.operation = "layer_norm", .tensor = "x", .rank = 3, .broadcast = true});
  View y = resolve(desc.y, of_y);
  require_shape(y, of_y, {x.shape[0], x.shape[1], x.shape[2]});
  View gamma = pair_member(desc.gamma, "gamma", 1), beta = pair_member(desc.beta, "beta", 1);
  View scale = pair_member(desc.scale, "scale", 2), shift = pair_member(desc.shift, "shift", 2);
  require_both(gamma, beta, "gamma and beta");
  require_both(scale, shift, "scale and shift");
  if (gamma && scale) {
    fail(POSED_INVALID_ARGUMENT, "layer_norm: gamma and beta exclude scale and shift; all four were given.");
  }
  for (const auto &[view, name] : {std::pair{&gamma, "gamma"}, std::pair{&beta, "beta"}}) {
    if (*view) require_shape(*view, {.operation = "layer_norm", .tensor = name}, {x.shape[2]});
  }
  for (const auto &[view, name] : {std::pair{&scale, "scale"}, std::pair{&shift, "shift"}}) {
    Expect expect{.operation = "layer_norm", .tensor = name};
    if (*view) require_shape(*view, expect, {x.shape[0], x.shape[2]});
  }
  const View &multiply = gamma ? gamma : scale, &add = gamma ? beta : shift;
  return std::make_unique<LayerNorm>(x, y, multiply, add, desc.eps);
}

} // namespace posed
