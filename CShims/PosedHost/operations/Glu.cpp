// y = act(a) * b with [a | b] the halves of x's last dimension. x [B, T, 2·D]; y [B, T, D]; the
// outer dimensions strided freely.
#include "Plans.h"
#include "posed_host/primitives.h"

namespace posed {
namespace {

class Glu final : public Operation {
public:
  Glu(const View &x, const View &y, uint32_t activation)
      : Operation({tasks_for(y.shape[0] * y.shape[1], x.count())}), x_(x), y_(y), activation_(activation) {}

  void run(int, int task, Worker &) override {
    int64_t tokens = y_.shape[1], size = y_.shape[2];
    Range rows = piece(y_.shape[0] * tokens, task, tasks[0]);
    for (int64_t row = rows.first; row < rows.last; ++row) {
      const std::byte *a = x_.at(row / tokens, row % tokens);
      primitives().glu(y_.at(row / tokens, row % tokens), y_.dtype, a, a + size * int64_t(x_.size()),
                       x_.dtype, size, activation_);
    }
  }

private:
  const View x_, y_;
  const uint32_t activation_;
};

} // namespace

OperationPointer plan(posed_device &, const GluCall &call) {
  return std::make_unique<Glu>(call.x, call.y, call.activation);
}

} // namespace posed
