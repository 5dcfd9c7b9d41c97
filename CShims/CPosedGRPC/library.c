#include "internal.h"

#include <stdatomic.h>

static_assert((int)POSED_GRPC_DEBUG == (int)GPR_LOG_SEVERITY_DEBUG, "severity");
static_assert((int)POSED_GRPC_INFO == (int)GPR_LOG_SEVERITY_INFO, "severity");
static_assert((int)POSED_GRPC_ERROR == (int)GPR_LOG_SEVERITY_ERROR, "severity");

static _Atomic(posed_grpc_log_sink) log_sink;

static void forward(gpr_log_func_args *line) {
  posed_grpc_log_sink sink = atomic_load(&log_sink);
  if (sink) sink((posed_grpc_severity)line->severity, line->message);
}

void posed_grpc_acquire(void) { grpc_init(); }

void posed_grpc_release(void) { grpc_shutdown(); }

void posed_grpc_set_log(posed_grpc_log_sink sink, posed_grpc_severity least) {
  atomic_store(&log_sink, sink);
  gpr_set_log_verbosity((gpr_log_severity)least);
  gpr_set_log_function(sink ? forward : NULL);
}

gpr_timespec posed_grpc_deadline(int64_t time_left) {
  if (time_left == INT64_MAX) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(time_left, GPR_TIMESPAN));
}
