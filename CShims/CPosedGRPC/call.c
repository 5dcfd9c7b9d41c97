#include "internal.h"

void posed_grpc_call_cancel(posed_grpc_call *call, int32_t code, const char *details) {
  grpc_call_cancel_with_status(call_in(call), (grpc_status_code)code, details, NULL);
}

bool posed_grpc_call_failed_before_message(posed_grpc_call *call) {
  return grpc_call_failed_before_recv_message(call_in(call)) != 0;
}

char *posed_grpc_call_copy_peer(posed_grpc_call *call) { return grpc_call_get_peer(call_in(call)); }

void posed_grpc_string_destroy(char *string) { gpr_free(string); }

void posed_grpc_call_visit_peer_properties(posed_grpc_call *call, void *context,
                                           void (*visit)(void *context, const char *name,
                                                         posed_grpc_bytes value)) {
  grpc_auth_context *peer = grpc_call_auth_context(call_in(call));
  if (!peer) return;
  grpc_auth_property_iterator iterator = grpc_auth_context_property_iterator(peer);
  const grpc_auth_property *property = NULL;
  while ((property = grpc_auth_property_iterator_next(&iterator)) != NULL) {
    posed_grpc_bytes value = {(const uint8_t *)property->value, property->value_length};
    visit(context, property->name, value);
  }
  grpc_auth_context_release(peer);
}

void posed_grpc_call_destroy(posed_grpc_call *call) { grpc_call_unref(call_in(call)); }
