// y = residual + gate · act(x · Wᵀ + bias). x [B, T, K]; W [N, K] as it came.
//
// A task takes some rows of one member of the batch: it copies them side by side where they are not,
// multiplies them by all of W, and finishes each row. The number of rows of a task depends on T alone, so the
// members of a batch get the products that they get alone.
#include <algorithm>
#include <cstring>

#include "blas.h"
#include "kernels.h"
#include "posed_host/primitives.h"

namespace posed::blas {
namespace {

constexpr int64_t task_rows = 64;

class Linear final : public Operation {
public:
  explicit Linear(const LinearCall &call)
      : Operation(
            {static_cast<int>(call.batch * blocks(call.tokens, task_rows))},
            static_cast<size_t>(std::min(call.tokens, task_rows) * (call.weight->in + call.weight->out)) *
                sizeof(float)),
        call_(call), weight_(static_cast<const PlainWeight &>(*call.weight)) {}

  void run(int, int task, Worker &worker) override {
    const int64_t cuts = blocks(call_.tokens, task_rows), b = task / cuts;
    const Range rows = piece(call_.tokens, task % cuts, cuts);
    auto *x = reinterpret_cast<float *>(worker.scratch);
    float *sums = x + rows.size() * weight_.in;
    for (int64_t row = rows.first; row < rows.last; ++row) {
      std::memcpy(x + (row - rows.first) * weight_.in, call_.x.at(b, row),
                  static_cast<size_t>(weight_.in) * sizeof(float));
    }
    multiply(rows.size(), weight_.out, weight_.in, {x, weight_.in}, {weight_.values(), weight_.in}, true,
             sums, weight_.out);
    for (int64_t row = rows.first; row < rows.last; ++row, sums += weight_.out) {
      primitives().epilogue({.sum = sums,
                             .bias = weight_.bias,
                             .gate = call_.gate ? reinterpret_cast<float *>(call_.gate.at(b)) : nullptr,
                             .residual = call_.residual ? call_.residual.at(b, row) : nullptr,
                             .y = call_.y.at(b, row),
                             .residual_type = POSED_F32,
                             .y_type = POSED_F32,
                             .activation = call_.activation,
                             .residual_first = false},
                            weight_.out);
    }
  }

private:
  const LinearCall call_;
  const PlainWeight &weight_;
};

} // namespace

std::unique_ptr<posed_weight> pack_linear(posed_device &device, const posed_linear_weight_desc &desc) {
  auto weight = std::make_unique<PlainWeight>(&device, posed_weight::Kind::linear);
  const int64_t count = desc.out * desc.in, bias = desc.bias == nullptr ? 0 : desc.out;
  weight->memory = device.allocate(static_cast<uint64_t>(count + bias) * sizeof(float));
  primitives().convert(weight->memory.data(), POSED_F32, desc.data, desc.dtype, count);
  if (bias > 0) {
    std::copy_n(desc.bias, bias, weight->memory.as<float>() + count);
    weight->bias = weight->values() + count;
  }
  return weight;
}

OperationPointer plan_linear(const LinearCall &call) { return std::make_unique<Linear>(call); }

} // namespace posed::blas
