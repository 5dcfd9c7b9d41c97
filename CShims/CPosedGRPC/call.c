#include "internal.h"

void posed_grpc_call_cancel(posed_grpc_call *call, int32_t code, const char *details) {
  grpc_call_cancel_with_status(call_in(call), (grpc_status_code)code, details, NULL);
}

bool posed_grpc_call_failed_before_message(posed_grpc_call *call) {
  return grpc_call_failed_before_recv_message(call_in(call)) != 0;
}

void posed_grpc_call_destroy(posed_grpc_call *call) { grpc_call_unref(call_in(call)); }
