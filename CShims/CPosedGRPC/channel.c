#include "internal.h"

static_assert((int)POSED_GRPC_IDLE == (int)GRPC_CHANNEL_IDLE, "connectivity");
static_assert((int)POSED_GRPC_CONNECTING == (int)GRPC_CHANNEL_CONNECTING, "connectivity");
static_assert((int)POSED_GRPC_READY == (int)GRPC_CHANNEL_READY, "connectivity");
static_assert((int)POSED_GRPC_TRANSIENT_FAILURE == (int)GRPC_CHANNEL_TRANSIENT_FAILURE, "connectivity");
static_assert((int)POSED_GRPC_CHANNEL_SHUTDOWN == (int)GRPC_CHANNEL_SHUTDOWN, "connectivity");

posed_grpc_channel *posed_grpc_channel_create(const char *target, posed_grpc_channel_credentials *credentials,
                                              const posed_grpc_options *options) {
  grpc_arg storage[POSED_GRPC_MAX_ARGUMENTS];
  grpc_channel_args arguments = posed_grpc_arguments(options, storage);
  return (posed_grpc_channel *)grpc_channel_create(target, (grpc_channel_credentials *)credentials,
                                                   &arguments);
}

posed_grpc_call *posed_grpc_channel_create_call(posed_grpc_channel *channel, posed_grpc_queue *queue,
                                                posed_grpc_bytes method, int64_t time_left) {
  grpc_slice path = slice_copy(method);
  grpc_call *call =
      grpc_channel_create_call(channel_in(channel), NULL, GRPC_PROPAGATE_DEFAULTS, queue_in(queue), path,
                               NULL, posed_grpc_deadline(time_left), NULL);
  grpc_slice_unref(path);
  return (posed_grpc_call *)call;
}

posed_grpc_connectivity posed_grpc_channel_connectivity(posed_grpc_channel *channel, bool connect) {
  return (posed_grpc_connectivity)grpc_channel_check_connectivity_state(channel_in(channel), connect);
}

void posed_grpc_channel_watch(posed_grpc_channel *channel, posed_grpc_connectivity last, int64_t time_left,
                              posed_grpc_queue *queue, void *tag) {
  grpc_channel_watch_connectivity_state(channel_in(channel), (grpc_connectivity_state)last,
                                        posed_grpc_deadline(time_left), queue_in(queue), tag);
}

void posed_grpc_channel_destroy(posed_grpc_channel *channel) { grpc_channel_destroy(channel_in(channel)); }
