/*
 * A plugin that does whatever a plugin must not do. POSED_CRASH_MODE says what; when it is not set, the
 * plugin dies on an instruction that no processor has. The tests show what the host survives.
 *
 *   in the constructor, before anything is called:
 *     constructor-sigill, constructor-exit, constructor-hang, constructor-output (prints, then works)
 *   in the entry function:
 *     entry-segv, entry-null (refuses the host)
 *   a table that lies:
 *     lie-abi, lie-minor, lie-size, lie-name, null-name, null-slot, null-last-slot
 *   in the probe:
 *     sigill, segv, abort, fpe, exit, exit-0, hang, fork-hang, error, error-empty
 *   answers that are strange but harmless:
 *     zero, no-devices, negative, unterminated, works, descriptor-N (says whether it has inherited that one)
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "posed_backend.h"

static int mode_is(const char *name) {
  const char *mode = getenv("POSED_CRASH_MODE");
  return strcmp(mode ? mode : "sigill", name) == 0;
}

static void hang(void) {
  for (;;) pause();
}

/* The signals are raised for real where that is possible. */
static void die_of_illegal_instruction(void) { __builtin_trap(); }

static void die_of_segmentation(void) {
  volatile int *nowhere = (volatile int *)(uintptr_t)8;
  *nowhere = 1;
}

__attribute__((constructor)) static void construct(void) {
  if (mode_is("constructor-sigill")) die_of_illegal_instruction();
  if (mode_is("constructor-exit")) _exit(3);
  if (mode_is("constructor-hang")) hang();
  if (mode_is("constructor-output")) {
    printf("{\"status\":\"usable\",\"score\":1000,\"devices\":9,\"version\":\"\",\"summary\":\"\"}\n");
    fflush(stdout);
  }
}

static posed_status probe(posed_probe_result *result, posed_error *error) {
  if (mode_is("sigill")) die_of_illegal_instruction();
  if (mode_is("segv")) die_of_segmentation();
  if (mode_is("abort")) abort();
  if (mode_is("fpe")) raise(SIGFPE);
  if (mode_is("exit")) exit(7);
  if (mode_is("exit-0")) exit(0);
  if (mode_is("hang")) hang();
  if (mode_is("fork-hang") && fork() >= 0) hang();
  if (mode_is("error-empty")) return POSED_INTERNAL;
  if (mode_is("error")) {
    snprintf(error->message, sizeof error->message, "nothing works today");
    return POSED_DEVICE_LOST;
  }
  const char *mode = getenv("POSED_CRASH_MODE");
  int descriptor;
  if (mode && sscanf(mode, "descriptor-%d", &descriptor) == 1) {
    snprintf(error->message, sizeof error->message, fcntl(descriptor, F_GETFD) < 0 ? "closed" : "open");
    return POSED_INTERNAL;
  }
  result->score = mode_is("zero") ? 0 : mode_is("negative") ? -5 : 1;
  result->devices = mode_is("no-devices") ? 0 : mode_is("negative") ? -1 : 1;
  snprintf(result->summary, sizeof result->summary, "crashes on request, and not now");
  if (mode_is("unterminated")) memset(result->summary, 'x', sizeof result->summary);
  return POSED_OK;
}

/* The other functions only have to be there. */
static posed_status refuse(void) { return POSED_UNSUPPORTED; }
static void nothing(void) {}

#define REFUSE(slot) .slot = (void *)refuse
#define NOTHING(slot) .slot = (void *)nothing

static posed_backend table = {
    .abi = POSED_BACKEND_ABI,
    .struct_size = sizeof(posed_backend),
    .name = "crashing",
    .version = "1.0",
    .probe = probe,
    REFUSE(device_open),
    NOTHING(device_close),
    REFUSE(device_info),
    REFUSE(supports),
    REFUSE(buffer_create),
    NOTHING(buffer_destroy),
    REFUSE(upload),
    REFUSE(download),
    REFUSE(stream_create),
    NOTHING(stream_destroy),
    REFUSE(stream_synchronize),
    REFUSE(event_create),
    NOTHING(event_destroy),
    REFUSE(event_record),
    REFUSE(event_wait),
    REFUSE(event_synchronize),
    REFUSE(capture_begin),
    REFUSE(capture_end),
    REFUSE(graph_launch),
    NOTHING(graph_destroy),
    REFUSE(weight_create_linear),
    REFUSE(weight_create_conv2d),
    NOTHING(weight_destroy),
    REFUSE(weight_bytes),
    REFUSE(linear),
    REFUSE(conv2d),
    REFUSE(group_norm),
    REFUSE(layer_norm),
    REFUSE(attention),
    REFUSE(copy),
    REFUSE(combine),
    REFUSE(activate),
    REFUSE(glu),
    REFUSE(quantize),
};

POSED_EXPORT const posed_backend *posed_backend_entry(uint32_t host_abi);

POSED_EXPORT const posed_backend *posed_backend_entry(uint32_t host_abi) {
  (void)host_abi;
  if (mode_is("entry-segv")) die_of_segmentation();
  if (mode_is("entry-null")) return NULL;
  if (mode_is("lie-abi")) table.abi = (POSED_BACKEND_ABI_MAJOR + 1) << 16;
  if (mode_is("lie-minor")) table.abi = POSED_BACKEND_ABI + 1;
  if (mode_is("lie-size")) table.struct_size = 24;
  if (mode_is("lie-name")) table.name = "blas";
  if (mode_is("null-name")) table.name = NULL;
  if (mode_is("null-slot")) table.attention = NULL;
  if (mode_is("null-last-slot")) table.quantize = NULL;
  return &table;
}
