// What every plugin answers alike when it is asked about an operation, and bounds of transfers.
#include "posed_plugin/calls.h"
#include "posed_plugin/status.h"

namespace posed {
namespace {

bool known_types(const posed_op_query &query, std::string &why) {
  bool bytes_allowed = query.op == POSED_OP_QUANTIZE || query.op == POSED_OP_COPY;
  bool x = is_float(query.x_dtype) || (query.op == POSED_OP_COPY && query.x_dtype == POSED_U8);
  bool y = is_float(query.y_dtype) || (bytes_allowed && query.y_dtype == POSED_U8);
  if (query.op == POSED_OP_QUANTIZE) y = query.y_dtype == POSED_U8;
  if (query.op == POSED_OP_COPY && (query.x_dtype == POSED_U8) != (query.y_dtype == POSED_U8)) {
    y = false;
  }
  if (!x || !y) {
    why = "Operation " + std::to_string(query.op) + " does not take " + name_of(query.x_dtype) + " to " +
          name_of(query.y_dtype) + ".";
  }
  return x && y;
}

} // namespace

bool plausible(const posed_op_query &query, uint32_t compute_types, const char *plugin, std::string &why) {
  if (query.op < POSED_OP_LINEAR || query.op > POSED_OP_QUANTIZE) {
    why = "Operation " + std::to_string(query.op) + " is not known.";
    return false;
  }
  if (!known_types(query, why)) return false;
  bool weighted = query.op == POSED_OP_LINEAR || query.op == POSED_OP_CONV2D;
  if (!weighted && query.op != POSED_OP_ATTENTION) return true;
  uint32_t compute = weighted ? query.compute : query.x_dtype;
  bool known = is_float(compute) || (compute == POSED_I8 && query.op == POSED_OP_LINEAR);
  if (!known || (compute_types & (1u << compute)) == 0) {
    why = std::string("The ") + plugin + " backend does not compute in " + name_of(compute) + " here.";
    return false;
  }
  bool x = query.x_dtype == POSED_F32 || query.x_dtype == carrier_of(compute);
  bool y = query.y_dtype == POSED_F32 || query.y_dtype == carrier_of(compute);
  if (query.op == POSED_OP_ATTENTION) y = query.y_dtype == query.x_dtype;
  if (!x || !y) {
    why = "Operation " + std::to_string(query.op) + " computing in " + name_of(compute) + " does not take " +
          name_of(query.x_dtype) + " to " + name_of(query.y_dtype) + ".";
  }
  return x && y;
}

void require_bounds(const posed_buffer &buffer, uint64_t offset, uint64_t bytes) {
  if (offset <= buffer.bytes && bytes <= buffer.bytes - offset) return;
  fail(POSED_INVALID_ARGUMENT, "%llu bytes at offset %llu do not fit a buffer of %llu bytes.",
       static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(offset),
       static_cast<unsigned long long>(buffer.bytes));
}

} // namespace posed
