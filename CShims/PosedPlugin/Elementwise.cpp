// The rules of the descriptors of copy, combine, activate, glu and quantize.
#include "posed_plugin/calls.h"
#include "posed_plugin/status.h"

namespace posed {
namespace {

View dense(const posed_tensor &tensor, const Expect &expect) {
  View view = resolve(tensor, expect);
  require_dense(view, expect);
  return view;
}

void require_same(const View &view, const Expect &expect, const View &other) {
  if (view.same_shape(other)) return;
  fail(POSED_INVALID_ARGUMENT, "%s: %s has shape %s; expected %s.", expect.operation, expect.tensor,
       view.shape_text().c_str(), other.shape_text().c_str());
}

} // namespace

CopyCall check(const posed_device &device, const posed_copy_desc &desc) {
  Expect of_x{.operation = "copy",
              .tensor = "x",
              .floating = false,
              .unit_innermost = false,
              .broadcast = true,
              .device = &device};
  Expect of_y{
      .operation = "copy", .tensor = "y", .floating = false, .unit_innermost = false, .device = &device};
  CopyCall call{.x = resolve(desc.x, of_x), .y = resolve(desc.y, of_y)};
  if (!call.x.same_shape(call.y)) {
    fail(POSED_INVALID_ARGUMENT, "copy: y has shape %s; expected %s, the shape of x.",
         call.y.shape_text().c_str(), call.x.shape_text().c_str());
  }
  if (call.x.dtype != call.y.dtype && (!is_float(call.x.dtype) || !is_float(call.y.dtype))) {
    fail(POSED_UNSUPPORTED, "copy: a conversion from %s to %s is not offered.", name_of(call.x.dtype).c_str(),
         name_of(call.y.dtype).c_str());
  }
  return call;
}

CombineCall check(const posed_device &device, const posed_combine_desc &desc) {
  if (desc.count < 1 || desc.count > POSED_MAX_TERMS) {
    fail(POSED_INVALID_ARGUMENT, "combine: %u terms; expected 1 to %d.", desc.count, POSED_MAX_TERMS);
  }
  CombineCall call = {};
  call.y = dense(desc.y, {.operation = "combine", .tensor = "y", .device = &device});
  call.count = desc.count;
  call.bias = desc.bias;
  for (uint32_t i = 0; i < desc.count; ++i) {
    std::string name = "x[" + std::to_string(i) + "]";
    Expect of_x{.operation = "combine", .tensor = name.c_str(), .device = &device};
    View &x = call.x[i];
    x = dense(desc.x[i], of_x);
    require_same(x, of_x, call.y);
    if (x.data == call.y.data && x.dtype != call.y.dtype) {
      fail(POSED_INVALID_ARGUMENT, "combine: y may be %s only when both are of one type; they are %s and %s.",
           name.c_str(), name_of(call.y.dtype).c_str(), name_of(x.dtype).c_str());
    }
    call.coefficient[i] = desc.coefficient[i];
  }
  return call;
}

ActivateCall check(const posed_device &device, const posed_activate_desc &desc) {
  Expect of_x{.operation = "activate", .tensor = "x", .device = &device};
  Expect of_y{.operation = "activate", .tensor = "y", .device = &device};
  ActivateCall call{.x = dense(desc.x, of_x), .y = dense(desc.y, of_y), .activation = desc.activation};
  require_same(call.y, of_y, call.x);
  require_activation(desc.activation, "activate");
  if (call.x.data == call.y.data && call.x.dtype != call.y.dtype) {
    fail(POSED_INVALID_ARGUMENT, "activate: y may be x only when both are of one type; they are %s and %s.",
         name_of(call.y.dtype).c_str(), name_of(call.x.dtype).c_str());
  }
  return call;
}

GluCall check(const posed_device &device, const posed_glu_desc &desc) {
  Expect of_x{.operation = "glu", .tensor = "x", .rank = 3, .broadcast = true, .device = &device};
  Expect of_y{.operation = "glu", .tensor = "y", .rank = 3, .device = &device};
  GluCall call{.x = resolve(desc.x, of_x), .y = resolve(desc.y, of_y), .activation = desc.activation};
  const int64_t *x = call.x.shape;
  if (x[2] % 2 != 0) {
    fail(POSED_INVALID_ARGUMENT, "glu: x has shape %s; its last dimension must be even.",
         call.x.shape_text().c_str());
  }
  require_shape(call.y, of_y, {x[0], x[1], x[2] / 2});
  require_activation(desc.activation, "glu");
  return call;
}

QuantizeCall check(const posed_device &device, const posed_quantize_desc &desc) {
  Expect of_x{.operation = "quantize", .tensor = "x", .device = &device};
  Expect of_y{.operation = "quantize", .tensor = "y", .floating = false, .device = &device};
  QuantizeCall call{.x = dense(desc.x, of_x), .y = dense(desc.y, of_y)};
  if (call.y.dtype != POSED_U8) {
    fail(POSED_INVALID_ARGUMENT, "quantize: y is %s; expected u8.", name_of(call.y.dtype).c_str());
  }
  require_same(call.y, of_y, call.x);
  return call;
}

} // namespace posed
