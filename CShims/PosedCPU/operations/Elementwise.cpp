// activate  y = act(x)
// combine   y = bias + Σ coefficient[i] * x[i]
// quantize  y = round((clamp(x, −1, 1) + 1) * 127.5)
// Dense tensors of one shape, cut into pieces of whole cache lines.
#include "Plans.h"
#include "posed_cpu/primitives.h"

namespace posed {
namespace {

constexpr int64_t grain = 64; // elements; a multiple of every vector's width

/// The elements of task number `task`.
Range share(int64_t count, int task, int tasks) {
  Range lines = piece(blocks(count, grain), task, tasks);
  return {lines.first * grain, std::min(lines.last * grain, count)};
}

int tasks_of(int64_t count) { return tasks_for(blocks(count, grain), count); }

class Activate final : public Operation {
public:
  Activate(const View &x, const View &y, uint32_t activation)
      : Operation({tasks_of(x.count())}), x_(x), y_(y), activation_(activation) {}
  void run(int, int task, Worker &) override {
    Range range = share(x_.count(), task, tasks[0]);
    primitives().activate(y_.data + range.first * int64_t(y_.size()), y_.dtype,
                          x_.data + range.first * int64_t(x_.size()), x_.dtype, range.size(), activation_);
  }

private:
  const View x_, y_;
  const uint32_t activation_;
};

class Combine final : public Operation {
public:
  Combine(const View &y, const View *x, const posed_combine_desc &desc)
      : Operation({tasks_of(y.count())}), y_(y), count_(desc.count), bias_(desc.bias) {
    for (uint32_t i = 0; i < count_; ++i) {
      data_[i] = x[i].data;
      types_[i] = x[i].dtype;
      coefficients_[i] = desc.coefficient[i];
    }
  }
  void run(int, int task, Worker &) override {
    Range range = share(y_.count(), task, tasks[0]);
    const void *x[POSED_MAX_TERMS] = {};
    for (uint32_t i = 0; i < count_; ++i) {
      x[i] = data_[i] + range.first * int64_t(size_of(types_[i]));
    }
    primitives().combine(y_.data + range.first * int64_t(y_.size()), y_.dtype, x, types_, coefficients_,
                         count_, bias_, range.size());
  }

private:
  const View y_;
  const std::byte *data_[POSED_MAX_TERMS] = {};
  uint32_t types_[POSED_MAX_TERMS] = {};
  float coefficients_[POSED_MAX_TERMS] = {};
  const uint32_t count_;
  const float bias_;
};

class Quantize final : public Operation {
public:
  Quantize(const View &x, const View &y) : Operation({tasks_of(x.count())}), x_(x), y_(y) {}
  void run(int, int task, Worker &) override {
    Range range = share(x_.count(), task, tasks[0]);
    primitives().quantize(y_.as<uint8_t>() + range.first, x_.data + range.first * int64_t(x_.size()),
                          x_.dtype, range.size());
  }

private:
  const View x_, y_;
};

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

OperationPointer plan_activate(const posed_activate_desc &desc) {
  Expect of_x{.operation = "activate", .tensor = "x"};
  Expect of_y{.operation = "activate", .tensor = "y"};
  View x = dense(desc.x, of_x), y = dense(desc.y, of_y);
  require_same(y, of_y, x);
  require_activation(desc.activation, "activate");
  if (x.data == y.data && x.dtype != y.dtype) {
    fail(POSED_INVALID_ARGUMENT, "activate: y may be x only when both are of one type; they are %s and %s.",
         name_of(y.dtype).c_str(), name_of(x.dtype).c_str());
  }
  return std::make_unique<Activate>(x, y, desc.activation);
}

OperationPointer plan_combine(const posed_combine_desc &desc) {
  if (desc.count < 1 || desc.count > POSED_MAX_TERMS) {
    fail(POSED_INVALID_ARGUMENT, "combine: %u terms; expected 1 to %d.", desc.count, POSED_MAX_TERMS);
  }
  View y = dense(desc.y, {.operation = "combine", .tensor = "y"});
  View x[POSED_MAX_TERMS];
  for (uint32_t i = 0; i < desc.count; ++i) {
    std::string name = "x[" + std::to_string(i) + "]";
    Expect of_x{.operation = "combine", .tensor = name.c_str()};
    x[i] = dense(desc.x[i], of_x);
    require_same(x[i], of_x, y);
    if (x[i].data == y.data && x[i].dtype != y.dtype) {
      fail(POSED_INVALID_ARGUMENT, "combine: y may be %s only when both are of one type; they are %s and %s.",
           name.c_str(), name_of(y.dtype).c_str(), name_of(x[i].dtype).c_str());
    }
  }
  return std::make_unique<Combine>(y, x, desc);
}

OperationPointer plan_quantize(const posed_quantize_desc &desc) {
  Expect of_y{.operation = "quantize", .tensor = "y", .floating = false};
  View x = dense(desc.x, {.operation = "quantize", .tensor = "x"});
  View y = dense(desc.y, of_y);
  if (y.dtype != POSED_U8) {
    fail(POSED_INVALID_ARGUMENT, "quantize: y is %s; expected u8.", name_of(y.dtype).c_str());
  }
  require_same(y, of_y, x);
  return std::make_unique<Quantize>(x, y);
}

} // namespace posed
