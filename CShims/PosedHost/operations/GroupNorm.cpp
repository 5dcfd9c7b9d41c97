// y = act((x − mean) / √(variance + eps) * gamma + beta), statistics over H, W and the channels of
// one group. x, y [N, H, W, C] dense.
//
// Phase 0 sums x and x² of each group over blocks of pixels, in double; phase 1 adds the blocks in
// order and makes a scale and a shift of each channel; phase 2 applies them. The blocks are cut by
// the image's shape alone, so neither threads nor the batch change a bit.
#include <cmath>

#include "Plans.h"
#include "posed_host/primitives.h"

namespace posed {
namespace {

/// Pixels of one block: about 64 KiB of float32.
int64_t block_pixels(int64_t channels) { return std::max<int64_t>(16384 / channels, 1); }

class GroupNorm final : public Operation {
public:
  explicit GroupNorm(const GroupNormCall &call)
      : Operation({task_count(call.x), static_cast<int>(call.x.shape[0]), task_count(call.x)},
                  2 * sizeof(double) * static_cast<size_t>(call.x.shape[3]), shared_bytes(call)),
        x_(call.x), y_(call.y), gamma_(call.gamma.as<float>()), beta_(call.beta.as<float>()),
        groups_(call.groups), eps_(call.eps), activation_(call.activation),
        pixels_(x_.shape[1] * x_.shape[2]), channels_(x_.shape[3]), block_(block_pixels(channels_)),
        blocks_(blocks(pixels_, block_)), images_(x_.shape[0]) {}

  void run(int phase, int task, Worker &worker) override {
    if (phase == 1) return settle(task, worker);
    Range range = piece(images_ * blocks_, task, tasks[static_cast<size_t>(phase)]);
    for (int64_t unit = range.first; unit < range.last; ++unit) {
      if (phase == 0) {
        gather(unit, worker);
      } else {
        apply(unit, worker);
      }
    }
  }

private:
  /// Sums of blocks, [N][blocks][groups][2] in double, then scales and shifts, [N][2][C] in float.
  static size_t shared_bytes(const GroupNormCall &call) {
    const View &x = call.x;
    int64_t sums = blocks(x.shape[1] * x.shape[2], block_pixels(x.shape[3])) * call.groups;
    int64_t bytes = x.shape[0] * 2 * (sums * int64_t(sizeof(double)) + x.shape[3] * int64_t(sizeof(float)));
    return static_cast<size_t>(bytes);
  }
  double *partial(const Worker &worker) const { return reinterpret_cast<double *>(worker.shared); }
  float *affine(const Worker &worker) const {
    return reinterpret_cast<float *>(partial(worker) + images_ * blocks_ * groups_ * 2);
  }

  static int task_count(const View &x) {
    int64_t count = blocks(x.shape[1] * x.shape[2], block_pixels(x.shape[3]));
    return tasks_for(x.shape[0] * count, x.count());
  }

  Range pixels(int64_t unit) const {
    int64_t first = unit % blocks_ * block_;
    return {first, std::min(first + block_, pixels_)};
  }
  int64_t place(int64_t unit) const {
    return (unit / blocks_ * pixels_ + unit % blocks_ * block_) * channels_;
  }

  void gather(int64_t unit, Worker &worker) {
    auto *sums = reinterpret_cast<double *>(worker.scratch);
    double *squares = sums + channels_;
    primitives().channel_sums(x_.data + place(unit) * int64_t(x_.size()), x_.dtype, pixels(unit).size(),
                              channels_, sums, squares);
    int64_t width = channels_ / groups_;
    double *out = partial(worker) + unit * groups_ * 2;
    for (int64_t group = 0; group < groups_; ++group) {
      double sum = 0, square = 0;
      for (int64_t c = group * width; c < (group + 1) * width; ++c) {
        sum += sums[c];
        square += squares[c];
      }
      out[group * 2] = sum;
      out[group * 2 + 1] = square;
    }
  }

  void settle(int64_t image, const Worker &worker) {
    int64_t width = channels_ / groups_;
    float *scale = affine(worker) + image * channels_ * 2, *shift = scale + channels_;
    for (int64_t group = 0; group < groups_; ++group) {
      double sum = 0, square = 0;
      for (int64_t block = 0; block < blocks_; ++block) {
        const double *in = partial(worker) + ((image * blocks_ + block) * groups_ + group) * 2;
        sum += in[0];
        square += in[1];
      }
      double count = static_cast<double>(pixels_ * width), mean = sum / count;
      double variance = std::max(square / count - mean * mean, 0.0);
      double rstd = 1.0 / std::sqrt(variance + static_cast<double>(eps_));
      for (int64_t c = group * width; c < (group + 1) * width; ++c) {
        double gain = rstd * static_cast<double>(gamma_[c]);
        scale[c] = static_cast<float>(gain);
        shift[c] = static_cast<float>(static_cast<double>(beta_[c]) - mean * gain);
      }
    }
  }

  void apply(int64_t unit, const Worker &worker) {
    const float *scale = affine(worker) + unit / blocks_ * channels_ * 2;
    int64_t at = place(unit);
    primitives().scale_shift(y_.data + at * int64_t(y_.size()), y_.dtype, x_.data + at * int64_t(x_.size()),
                             x_.dtype, pixels(unit).size(), channels_, scale, scale + channels_, activation_);
  }

  const View x_, y_;
  const float *const gamma_, *const beta_;
  const int64_t groups_;
  const float eps_;
  const uint32_t activation_;
  const int64_t pixels_, channels_, block_, blocks_, images_;
};

} // namespace

OperationPointer plan(posed_device &, const GroupNormCall &call) { return std::make_unique<GroupNorm>(call); }

} // namespace posed
