// The operations of the table: a descriptor is checked and becomes launches; a failure ends a recording.
#include "Table.h"
#include "operations/Plans.h"

namespace posed::cuda {
namespace {

template <class Desc> posed_status operation(posed_stream *stream, const Desc *desc, posed_error *error) {
  if (stream == nullptr) {
    report(error, "stream is NULL.");
    return POSED_INVALID_ARGUMENT;
  }
  posed_error own = {};
  posed_status status = guard_on(stream->device, &own, [&] {
    require(desc, "desc");
    submit(*stream, check(*stream->device, *desc));
  });
  if (status == POSED_OK) return status;
  stream->note_failure(status, own);
  if (error != nullptr) *error = own;
  return status;
}

int32_t supports(posed_device *device, const posed_op_query *query, posed_error *error) {
  bool answer = false;
  posed_status status = guard(error, [&] {
    require(device, "device");
    require(query, "query");
    std::string why;
    answer = plausible(*query, 1u << POSED_F32 | 1u << POSED_F16 | 1u << POSED_BF16, "cuda", why);
    if (answer && query->op == POSED_OP_ATTENTION && query->sizes[1] > most_attention_head) {
      answer = false;
      why = "The cuda backend has attention heads of up to " + std::to_string(most_attention_head) +
            " elements; " + std::to_string(query->sizes[1]) + " were asked for.";
    }
    if (!answer) report(error, why.c_str());
  });
  return status == POSED_OK && answer ? 1 : 0;
}

} // namespace

void fill_operations(posed_backend &table) {
  table.supports = supports;
  table.linear = operation<posed_linear_desc>;
  table.conv2d = operation<posed_conv2d_desc>;
  table.group_norm = operation<posed_group_norm_desc>;
  table.layer_norm = operation<posed_layer_norm_desc>;
  table.attention = operation<posed_attention_desc>;
  table.copy = operation<posed_copy_desc>;
  table.combine = operation<posed_combine_desc>;
  table.activate = operation<posed_activate_desc>;
  table.glu = operation<posed_glu_desc>;
  table.quantize = operation<posed_quantize_desc>;
}

} // namespace posed::cuda
