#define _GNU_SOURCE

#include "posed_grpc.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static_assert(POSED_POLL_READABLE == EPOLLIN, "epoll");
static_assert(POSED_POLL_WRITABLE == EPOLLOUT, "epoll");
static_assert(POSED_POLL_PEER_CLOSED == EPOLLRDHUP, "epoll");
static_assert(POSED_POLL_BROKEN == (EPOLLERR | EPOLLHUP), "epoll");
static_assert(POSED_POLL_CHANGES == EPOLLET, "epoll");

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

int posed_poller_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

bool posed_poller_watch(int poller, int descriptor, uint32_t conditions, uint64_t key) {
  struct epoll_event event = {.events = conditions, .data.u64 = key};
  if (epoll_ctl(poller, EPOLL_CTL_MOD, descriptor, &event) == 0) return true;
  return errno == ENOENT && epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void posed_poller_forget(int poller, int descriptor) { epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, NULL); }

int posed_poller_wait(int poller, posed_poll_event *events, int capacity, int milliseconds) {
  struct epoll_event native[POSED_POLL_MOST];
  if (capacity > POSED_POLL_MOST) capacity = POSED_POLL_MOST;
  int count = epoll_wait(poller, native, capacity, milliseconds);
  for (int i = 0; i < count; i++) {
    events[i].key = native[i].data.u64;
    events[i].conditions = native[i].events;
  }
  return count < 0 ? 0 : count;
}

int posed_wakeup_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void posed_thread_block_broken_pipes(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

void posed_thread_set_name(const char *name) { pthread_setname_np(pthread_self(), name); }

void posed_socket_send_at_once(int descriptor) {
  int yes = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

bool posed_socket_pair(int *first, int *second) {
  int both[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) != 0) return false;
  *first = both[0];
  *second = both[1];
  return true;
}
