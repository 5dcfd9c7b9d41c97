#include "internal.h"

static_assert((int)POSED_GRPC_EVENT_SHUTDOWN == (int)GRPC_QUEUE_SHUTDOWN, "kind of event");
static_assert((int)POSED_GRPC_EVENT_TIMEOUT == (int)GRPC_QUEUE_TIMEOUT, "kind of event");
static_assert((int)POSED_GRPC_EVENT_COMPLETE == (int)GRPC_OP_COMPLETE, "kind of event");

posed_grpc_queue *posed_grpc_queue_create(void) {
  return (posed_grpc_queue *)grpc_completion_queue_create_for_next(NULL);
}

posed_grpc_event posed_grpc_queue_next(posed_grpc_queue *queue) {
  grpc_event event = grpc_completion_queue_next(queue_in(queue), gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
  posed_grpc_event result = {(posed_grpc_event_kind)event.type, event.success != 0, NULL};
  if (event.type == GRPC_OP_COMPLETE) result.tag = event.tag;
  return result;
}

void posed_grpc_queue_shutdown(posed_grpc_queue *queue) { grpc_completion_queue_shutdown(queue_in(queue)); }

void posed_grpc_queue_destroy(posed_grpc_queue *queue) { grpc_completion_queue_destroy(queue_in(queue)); }
