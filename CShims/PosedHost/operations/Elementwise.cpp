// activate  y = act(x)
// combine   y = bias + Σ coefficient[i] * x[i]
// quantize  y = round((clamp(x, −1, 1) + 1) * 127.5)
// Dense tensors of one shape, cut into pieces of whole cache lines.
#include "Plans.h"
#include "posed_host/primitives.h"

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
  explicit Activate(const ActivateCall &call)
      : Operation({tasks_of(call.x.count())}), x_(call.x), y_(call.y), activation_(call.activation) {}
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
  explicit Combine(const CombineCall &call) : Operation({tasks_of(call.y.count())}), call_(call) {}
  void run(int, int task, Worker &) override {
    Range range = share(call_.y.count(), task, tasks[0]);
    const void *x[POSED_MAX_TERMS] = {};
    uint32_t types[POSED_MAX_TERMS] = {};
    for (uint32_t i = 0; i < call_.count; ++i) {
      x[i] = call_.x[i].data + range.first * int64_t(call_.x[i].size());
      types[i] = call_.x[i].dtype;
    }
    const View &y = call_.y;
    primitives().combine(y.data + range.first * int64_t(y.size()), y.dtype, x, types, call_.coefficient,
                         call_.count, call_.bias, range.size());
  }

private:
  const CombineCall call_;
};

class Quantize final : public Operation {
public:
  explicit Quantize(const QuantizeCall &call)
      : Operation({tasks_of(call.x.count())}), x_(call.x), y_(call.y) {}
  void run(int, int task, Worker &) override {
    Range range = share(x_.count(), task, tasks[0]);
    primitives().quantize(y_.as<uint8_t>() + range.first, x_.data + range.first * int64_t(x_.size()),
                          x_.dtype, range.size());
  }

private:
  const View x_, y_;
};

} // namespace

OperationPointer plan(posed_device &, const ActivateCall &call) { return std::make_unique<Activate>(call); }
OperationPointer plan(posed_device &, const CombineCall &call) { return std::make_unique<Combine>(call); }
OperationPointer plan(posed_device &, const QuantizeCall &call) { return std::make_unique<Quantize>(call); }

} // namespace posed
