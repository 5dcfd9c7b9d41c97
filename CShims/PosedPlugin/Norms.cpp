// The rules of the descriptors of group_norm and layer_norm.
#include "posed_plugin/calls.h"
#include "posed_plugin/status.h"

namespace posed {
namespace {

/// A float32 vector of parameters, or a row of them for each member of the batch.
View parameters(const posed_tensor &tensor, const Expect &expect) {
  View view = resolve(tensor, expect);
  if (view && view.dtype != POSED_F32) {
    fail(POSED_INVALID_ARGUMENT, "%s: %s is %s; expected f32.", expect.operation, expect.tensor,
         name_of(view.dtype).c_str());
  }
  return view;
}

View channel_vector(const posed_device &device, const posed_tensor &tensor, const char *name,
                    int64_t channels) {
  Expect expect{.operation = "group_norm", .tensor = name, .rank = 1, .device = &device};
  View view = parameters(tensor, expect);
  require_shape(view, expect, {channels});
  return view;
}

View pair_member(const posed_device &device, const posed_tensor &tensor, const char *name, int rank) {
  return parameters(tensor, {.operation = "layer_norm",
                             .tensor = name,
                             .rank = rank,
                             .optional = true,
                             .broadcast = rank == 2,
                             .device = &device});
}

void require_both(const View &one, const View &two, const char *names) {
  if (bool(one) == bool(two)) return;
  fail(POSED_INVALID_ARGUMENT, "layer_norm: %s come in pairs; only one of them was given.", names);
}

} // namespace

GroupNormCall check(const posed_device &device, const posed_group_norm_desc &desc) {
  Expect of_x{.operation = "group_norm", .tensor = "x", .rank = 4, .device = &device};
  Expect of_y{.operation = "group_norm", .tensor = "y", .rank = 4, .device = &device};
  GroupNormCall call = {.x = resolve(desc.x, of_x),
                        .y = resolve(desc.y, of_y),
                        .gamma = {},
                        .beta = {},
                        .groups = desc.groups,
                        .eps = desc.eps,
                        .activation = desc.activation};
  const int64_t *x = call.x.shape;
  require_dense(call.x, of_x);
  require_dense(call.y, of_y);
  require_shape(call.y, of_y, {x[0], x[1], x[2], x[3]});
  if (desc.groups < 1 || x[3] % desc.groups != 0) {
    fail(POSED_INVALID_ARGUMENT, "group_norm: %lld channels do not divide into %d groups.",
         static_cast<long long>(x[3]), desc.groups);
  }
  require_activation(desc.activation, "group_norm");
  call.gamma = channel_vector(device, desc.gamma, "gamma", x[3]);
  call.beta = channel_vector(device, desc.beta, "beta", x[3]);
  return call;
}

LayerNormCall check(const posed_device &device, const posed_layer_norm_desc &desc) {
  Expect of_x{.operation = "layer_norm", .tensor = "x", .rank = 3, .broadcast = true, .device = &device};
  Expect of_y{.operation = "layer_norm", .tensor = "y", .rank = 3, .device = &device};
  View x = resolve(desc.x, of_x), y = resolve(desc.y, of_y);
  require_shape(y, of_y, {x.shape[0], x.shape[1], x.shape[2]});
  View gamma = pair_member(device, desc.gamma, "gamma", 1);
  View beta = pair_member(device, desc.beta, "beta", 1);
  View scale = pair_member(device, desc.scale, "scale", 2);
  View shift = pair_member(device, desc.shift, "shift", 2);
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
  return {.x = x,
          .y = y,
          .multiply = gamma ? gamma : scale,
          .add = gamma ? beta : shift,
          .modulated = bool(scale),
          .eps = desc.eps};
}

} // namespace posed
