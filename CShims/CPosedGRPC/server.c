#include "internal.h"

#include <stdlib.h>

struct posed_grpc_arrival {
  grpc_call *call;
  grpc_call_details details;
  grpc_metadata_array metadata;
};

posed_grpc_server *posed_grpc_server_create(const posed_grpc_options *options) {
  grpc_arg storage[POSED_GRPC_MAX_ARGUMENTS];
  grpc_channel_args arguments = posed_grpc_arguments(options, storage);
  return (posed_grpc_server *)grpc_server_create(&arguments, NULL);
}

void posed_grpc_server_register(posed_grpc_server *server, posed_grpc_queue *queue) {
  grpc_server_register_completion_queue(server_in(server), queue_in(queue), NULL);
}

void posed_grpc_server_start(posed_grpc_server *server) { grpc_server_start(server_in(server)); }

void posed_grpc_server_adopt_connection(posed_grpc_server *server, int descriptor) {
  grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
  grpc_server_add_channel_from_fd(server_in(server), descriptor, credentials);
  grpc_server_credentials_release(credentials);
}

bool posed_grpc_server_request(posed_grpc_server *server, posed_grpc_queue *queue,
                               posed_grpc_arrival *arrival, void *tag) {
  return grpc_server_request_call(server_in(server), &arrival->call, &arrival->details, &arrival->metadata,
                                  queue_in(queue), queue_in(queue), tag) == GRPC_CALL_OK;
}

void posed_grpc_server_shutdown(posed_grpc_server *server, posed_grpc_queue *queue, void *tag) {
  grpc_server_shutdown_and_notify(server_in(server), queue_in(queue), tag);
}

void posed_grpc_server_cancel_all(posed_grpc_server *server) {
  grpc_server_cancel_all_calls(server_in(server));
}

void posed_grpc_server_destroy(posed_grpc_server *server) { grpc_server_destroy(server_in(server)); }

posed_grpc_arrival *posed_grpc_arrival_create(void) {
  posed_grpc_arrival *arrival = calloc(1, sizeof *arrival);
  if (!arrival) return NULL;
  grpc_call_details_init(&arrival->details);
  grpc_metadata_array_init(&arrival->metadata);
  return arrival;
}

posed_grpc_call *posed_grpc_arrival_take_call(posed_grpc_arrival *arrival) {
  grpc_call *call = arrival->call;
  arrival->call = NULL;
  return (posed_grpc_call *)call;
}

posed_grpc_bytes posed_grpc_arrival_method(const posed_grpc_arrival *arrival) {
  return slice_bytes(&arrival->details.method);
}

posed_grpc_bytes posed_grpc_arrival_authority(const posed_grpc_arrival *arrival) {
  return slice_bytes(&arrival->details.host);
}

int64_t posed_grpc_arrival_time_left(const posed_grpc_arrival *arrival) {
  gpr_timespec deadline = arrival->details.deadline;
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return INT64_MAX;
  gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  const int64_t second = 1000000000;
  if (left.tv_sec > INT64_MAX / second - 1) return INT64_MAX;
  if (left.tv_sec < INT64_MIN / second + 1) return INT64_MIN;
  return left.tv_sec * second + left.tv_nsec;
}

size_t posed_grpc_arrival_metadata_count(const posed_grpc_arrival *arrival) {
  return arrival->metadata.count;
}

posed_grpc_entry posed_grpc_arrival_metadata(const posed_grpc_arrival *arrival, size_t index) {
  return metadata_entry(&arrival->metadata.metadata[index]);
}

void posed_grpc_arrival_destroy(posed_grpc_arrival *arrival) {
  grpc_call_details_destroy(&arrival->details);
  grpc_metadata_array_destroy(&arrival->metadata);
  if (arrival->call) grpc_call_unref(arrival->call);
  free(arrival);
}
