// activate, combine, glu, quantize: see kernels/activate.cu and its neighbours.
#include "Plans.h"

namespace posed::cuda {
namespace {

constexpr unsigned threads = 256;

} // namespace

void submit(posed_stream &stream, const ActivateCall &call) {
  const bool vectors = allows_fours(call.x) && allows_fours(call.y);
  const ActivateParameters parameters = {.x = call.x.data,
                                         .y = call.y.data,
                                         .count = call.x.count(),
                                         .x_type = call.x.dtype,
                                         .y_type = call.y.dtype,
                                         .activation = call.activation,
                                         .vectors = vectors};
  Kernel kernel = stream.device->kernels.get({"activate.cu", {}}, "activate_elements", threads, 0);
  stream.launch(kernel, stride_grid(*stream.device, parameters.count / (vectors ? 4 : 1), threads),
                parameters);
}

void submit(posed_stream &stream, const CombineCall &call) {
  CombineParameters parameters = {};
  parameters.y = call.y.data;
  parameters.y_type = call.y.dtype;
  parameters.count = call.y.count();
  parameters.terms = call.count;
  parameters.bias = call.bias;
  bool vectors = allows_fours(call.y);
  for (uint32_t i = 0; i < call.count; ++i) {
    parameters.x[i] = call.x[i].data;
    parameters.x_type[i] = call.x[i].dtype;
    parameters.coefficient[i] = call.coefficient[i];
    vectors = vectors && allows_fours(call.x[i]);
  }
  parameters.vectors = vectors;
  Kernel kernel = stream.device->kernels.get({"combine.cu", {}}, "combine_elements", threads, 0);
  stream.launch(kernel, stride_grid(*stream.device, parameters.count / (vectors ? 4 : 1), threads),
                parameters);
}

void submit(posed_stream &stream, const GluCall &call) {
  const View &x = call.x, &y = call.y;
  const bool vectors = y.shape[2] % 4 == 0 && rows_allow_fours(x) && rows_allow_fours(y);
  const GluParameters parameters = {.x = x.data,
                                    .y = y.data,
                                    .rows = y.shape[0] * y.shape[1],
                                    .tokens = y.shape[1],
                                    .width = y.shape[2],
                                    .x_batch = x.stride[0],
                                    .x_token = x.stride[1],
                                    .y_batch = y.stride[0],
                                    .y_token = y.stride[1],
                                    .x_type = x.dtype,
                                    .y_type = y.dtype,
                                    .activation = call.activation,
                                    .vectors = vectors};
  Kernel kernel = stream.device->kernels.get({"glu.cu", {}}, "glu_rows", threads, 0);
  stream.launch(kernel, stride_grid(*stream.device, y.count() / (vectors ? 4 : 1), threads), parameters);
}

void submit(posed_stream &stream, const QuantizeCall &call) {
  const bool vectors = allows_fours(call.x) && allows_fours(call.y);
  const QuantizeParameters parameters = {.x = call.x.data,
                                         .y = call.y.as<unsigned char>(),
                                         .count = call.x.count(),
                                         .x_type = call.x.dtype,
                                         .vectors = vectors};
  Kernel kernel = stream.device->kernels.get({"quantize.cu", {}}, "quantize_elements", threads, 0);
  stream.launch(kernel, stride_grid(*stream.device, parameters.count / (vectors ? 4 : 1), threads),
                parameters);
}

} // namespace posed::cuda
