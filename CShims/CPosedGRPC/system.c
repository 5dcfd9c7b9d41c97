#define _GNU_SOURCE

#include "posed_grpc.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static_assert(POSED_POLL_PEER_CLOSED == POLLRDHUP, "poll");

int posed_socket_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

bool posed_socket_credentials(int descriptor, posed_socket_peer *peer) {
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return false;
  peer->user = credentials.uid;
  peer->group = credentials.gid;
  peer->process = credentials.pid;
  return true;
}

int posed_wakeup_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void posed_thread_set_name(const char *name) { pthread_setname_np(pthread_self(), name); }
