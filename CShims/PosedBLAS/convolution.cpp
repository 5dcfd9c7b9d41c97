// y = act(conv(x, W) + bias + residual). x [N, H, W, C]; the filter as a matrix [O, kh · kw · C].
//
// A task takes some lines of output pixels: it gathers the field of each pixel, zeros outside the image, into
// a matrix [pixels, kh · kw · C] and multiplies that by the filter. With `upsample` 2 a field is read from
// the enlargement of x by 2, in which pixel (i, j) is x's pixel (i / 2, j / 2); the enlargement itself is not
// made.
#include <algorithm>
#include <cstring>
#include <vector>

#include "blas.h"
#include "kernels.h"
#include "posed_host/primitives.h"

namespace posed::blas {
namespace {

constexpr int64_t task_pixels = 128;

class Convolution final : public Operation {
public:
  explicit Convolution(const ConvCall &call)
      : Operation({static_cast<int>(call.y.shape[0] * blocks(pixels(call), task_pixels))},
                  static_cast<size_t>(std::min(pixels(call), task_pixels) * (depth(call) + call.y.shape[3])) *
                      sizeof(float)),
        call_(call), weight_(static_cast<const PlainWeight &>(*call.weight)), depth_(depth(call)) {}

  void run(int, int task, Worker &worker) override {
    const int64_t all = pixels(call_), cuts = blocks(all, task_pixels), image = task / cuts;
    const Range some = piece(all, task % cuts, cuts);
    auto *fields = reinterpret_cast<float *>(worker.scratch);
    const int64_t channels = call_.y.shape[3];
    float *sums = fields + some.size() * depth_;
    for (int64_t pixel = some.first; pixel < some.last; ++pixel) {
      gather(image, pixel, fields + (pixel - some.first) * depth_);
    }
    multiply(some.size(), channels, depth_, {fields, depth_}, {weight_.values(), depth_}, true, sums,
             channels);
    for (int64_t pixel = some.first; pixel < some.last; ++pixel, sums += channels) {
      const int64_t at = (image * all + pixel) * channels;
      primitives().epilogue({.sum = sums,
                             .bias = weight_.bias,
                             .gate = nullptr,
                             .residual = call_.residual ? call_.residual.as<float>() + at : nullptr,
                             .y = call_.y.as<float>() + at,
                             .residual_type = POSED_F32,
                             .y_type = POSED_F32,
                             .activation = call_.activation,
                             .residual_first = true},
                            channels);
    }
  }

private:
  /// Of an output image.
  static int64_t pixels(const ConvCall &call) { return call.y.shape[1] * call.y.shape[2]; }
  static int64_t depth(const ConvCall &call) {
    const Filter &filter = call.weight->filter;
    return filter.kernel_h * filter.kernel_w * call.x.shape[3];
  }

  /// The field of an output pixel, [kh][kw][C].
  void gather(int64_t image, int64_t pixel, float *to) const {
    const Filter &filter = weight_.filter;
    const int64_t height = call_.x.shape[1], width = call_.x.shape[2], channels = call_.x.shape[3];
    const int64_t top = pixel / call_.y.shape[2] * filter.stride_h - filter.pad_top;
    const int64_t left = pixel % call_.y.shape[2] * filter.stride_w - filter.pad_left;
    for (int64_t ky = 0; ky < filter.kernel_h; ++ky) {
      for (int64_t kx = 0; kx < filter.kernel_w; ++kx, to += channels) {
        const int64_t row = top + ky, column = left + kx;
        if (row < 0 || column < 0 || row >= height * filter.upsample || column >= width * filter.upsample) {
          std::fill_n(to, channels, 0.0f);
          continue;
        }
        const int64_t at = (image * height + row / filter.upsample) * width + column / filter.upsample;
        std::memcpy(to, call_.x.as<float>() + at * channels, static_cast<size_t>(channels) * sizeof(float));
      }
    }
  }

  const ConvCall call_;
  const PlainWeight &weight_;
  const int64_t depth_;
};

} // namespace

std::unique_ptr<posed_weight> pack_conv2d(posed_device &device, const posed_conv2d_weight_desc &desc) {
  auto weight = std::make_unique<PlainWeight>(&device, posed_weight::Kind::conv2d);
  const int64_t taps = int64_t(desc.kernel_h) * desc.kernel_w, count = desc.out * taps * desc.in;
  const int64_t bias = desc.bias == nullptr ? 0 : desc.out;
  weight->memory = device.allocate(static_cast<uint64_t>(count + bias) * sizeof(float));
  std::vector<float> given(static_cast<size_t>(count)); // [out][in][tap]
  primitives().convert(given.data(), POSED_F32, desc.data, desc.dtype, count);
  float *to = weight->memory.as<float>();
  for (int64_t out = 0; out < desc.out; ++out) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t in = 0; in < desc.in; ++in) {
        *to++ = given[static_cast<size_t>((out * desc.in + in) * taps + tap)];
      }
    }
  }
  if (bias > 0) {
    std::copy_n(desc.bias, bias, to);
    weight->bias = to;
  }
  return weight;
}

OperationPointer plan_conv2d(const ConvCall &call) { return std::make_unique<Convolution>(call); }

} // namespace posed::blas
