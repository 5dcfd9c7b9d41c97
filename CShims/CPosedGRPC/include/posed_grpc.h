/// gRPC core behind typed functions: queues, messages, batches, calls, servers, channels, credentials.
///
/// A thin layer: each function is one call of the library, or the few that belong together. Its
/// handles are owned by whoever created them and released by the function named beside them. No
/// function blocks but `posed_grpc_queue_next`, and none aborts on what a peer sends.
///
/// Numbers of the library (statuses, kinds of events) are enumerations here; the implementation
/// asserts at compile time that they are the library's own.
#ifndef POSED_GRPC_H
#define POSED_GRPC_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct posed_grpc_queue posed_grpc_queue;
typedef struct posed_grpc_message posed_grpc_message;
typedef struct posed_grpc_batch posed_grpc_batch;
typedef struct posed_grpc_call posed_grpc_call;
typedef struct posed_grpc_arrival posed_grpc_arrival;
typedef struct posed_grpc_server posed_grpc_server;
typedef struct posed_grpc_channel posed_grpc_channel;
typedef struct posed_grpc_channel_credentials posed_grpc_channel_credentials;

/// Bytes that someone else owns; not terminated.
typedef struct posed_grpc_bytes {
  const uint8_t *bytes;
  size_t count;
} posed_grpc_bytes;

/// One entry of metadata: a lower-case key and its value; keys that end in `-bin` carry any bytes.
typedef struct posed_grpc_entry {
  posed_grpc_bytes key;
  posed_grpc_bytes value;
} posed_grpc_entry;

// ---------------------------------------------------------------------------------------------
// The library

/// How much a line of the library's log matters.
typedef enum posed_grpc_severity {
  POSED_GRPC_DEBUG = 0,
  POSED_GRPC_INFO = 1,
  POSED_GRPC_ERROR = 2,
} posed_grpc_severity;

/// Receives one line of the library's log; called from any thread, must not call the library.
typedef void (*posed_grpc_log_sink)(posed_grpc_severity severity, const char *message);

/// Takes hold of the library; every other function needs it held. Balanced by `posed_grpc_release`.
void posed_grpc_acquire(void);
/// Lets go of the library; the last one ends its threads in the background.
void posed_grpc_release(void);
/// Sends lines of at least `least` to `sink` instead of standard error; NULL restores it.
void posed_grpc_set_log(posed_grpc_log_sink sink, posed_grpc_severity least);

// ---------------------------------------------------------------------------------------------
// Completion queues

/// What a queue has to say.
typedef enum posed_grpc_event_kind {
  POSED_GRPC_EVENT_SHUTDOWN = 0, ///< shut down and drained: nothing will come any more
  POSED_GRPC_EVENT_TIMEOUT = 1,  ///< nothing came in time
  POSED_GRPC_EVENT_COMPLETE = 2, ///< an operation completed: `tag` and `success` are set
} posed_grpc_event_kind;

typedef struct posed_grpc_event {
  posed_grpc_event_kind kind;
  bool success;
  void *tag;
} posed_grpc_event;

/// A queue for `next`, released by `posed_grpc_queue_destroy`.
posed_grpc_queue *posed_grpc_queue_create(void);
/// Blocks until something completes or the queue is shut down and drained. One thread per queue.
posed_grpc_event posed_grpc_queue_next(posed_grpc_queue *queue);
/// Begins the shutdown; nothing new may be started on the queue.
void posed_grpc_queue_shutdown(posed_grpc_queue *queue);
/// Only after `next` has said SHUTDOWN.
void posed_grpc_queue_destroy(posed_grpc_queue *queue);

// ---------------------------------------------------------------------------------------------
// Messages

/// Wraps bytes without copying them; `release(context)` is called once, from any thread, when the
/// library needs them no more. Returns NULL without calling `release` when memory is short.
posed_grpc_message *posed_grpc_message_adopt(const void *bytes, size_t count, void (*release)(void *),
                                             void *context);
/// The length in bytes.
size_t posed_grpc_message_count(posed_grpc_message *message);
/// Copies all bytes to `target`, which has room for `posed_grpc_message_count`; false when the
/// message cannot be read (compressed in a way that is not understood).
bool posed_grpc_message_read(posed_grpc_message *message, void *target);
/// Whether the bytes are compressed with gzip; they come as they were sent.
bool posed_grpc_message_is_gzip(posed_grpc_message *message);
void posed_grpc_message_destroy(posed_grpc_message *message);

/// Inflates one member of gzip, which must have exactly `capacity` bytes and nothing behind it; false for
/// anything else.
bool posed_gzip_inflate(const void *source, size_t size, void *target, size_t capacity);

// ---------------------------------------------------------------------------------------------
// Batches: operations on a call that complete together

/// An empty batch. It holds all that its operations need and receive until destroyed.
/// NULL when memory is short.
posed_grpc_batch *posed_grpc_batch_create(void);
/// Only when never started, or after its completion came out of the queue.
void posed_grpc_batch_destroy(posed_grpc_batch *batch);

/// Adds an operation; each at most once a batch. The bytes are copied. `wait_for_ready` is the
/// client's wish to wait for a connection instead of failing while there is none.
bool posed_grpc_batch_send_initial_metadata(posed_grpc_batch *batch, const posed_grpc_entry *entries,
                                            size_t count, bool wait_for_ready);
/// Takes the message over. With `through` the operation completes when the socket has the bytes,
/// without when flow control has let them pass.
void posed_grpc_batch_send_message(posed_grpc_batch *batch, posed_grpc_message *message, bool through);
void posed_grpc_batch_send_close(posed_grpc_batch *batch);
bool posed_grpc_batch_send_status(posed_grpc_batch *batch, int32_t code, posed_grpc_bytes details,
                                  const posed_grpc_entry *entries, size_t count);
void posed_grpc_batch_receive_initial_metadata(posed_grpc_batch *batch);
void posed_grpc_batch_receive_message(posed_grpc_batch *batch);
void posed_grpc_batch_receive_status(posed_grpc_batch *batch);
void posed_grpc_batch_receive_close(posed_grpc_batch *batch);

/// What completed; valid until the batch is destroyed, and metadata only while its call lives.
size_t posed_grpc_batch_initial_metadata_count(const posed_grpc_batch *batch);
posed_grpc_entry posed_grpc_batch_initial_metadata(const posed_grpc_batch *batch, size_t index);
size_t posed_grpc_batch_trailing_metadata_count(const posed_grpc_batch *batch);
posed_grpc_entry posed_grpc_batch_trailing_metadata(const posed_grpc_batch *batch, size_t index);
/// The message received, now the caller's; NULL at the end of the stream.
posed_grpc_message *posed_grpc_batch_take_message(posed_grpc_batch *batch);
int32_t posed_grpc_batch_status(const posed_grpc_batch *batch);
posed_grpc_bytes posed_grpc_batch_status_details(const posed_grpc_batch *batch);
/// Whether the call ended in any other way than by the server's status.
bool posed_grpc_batch_cancelled(const posed_grpc_batch *batch);

// ---------------------------------------------------------------------------------------------
// Calls

/// Starts a batch; `tag` comes out of the call's queue when it completes. False when the library
/// refuses it: then no tag comes. Calls from several threads must take turns.
bool posed_grpc_call_start(posed_grpc_call *call, posed_grpc_batch *batch, void *tag);
/// Ends the call with a status, wherever it is. From any thread.
void posed_grpc_call_cancel(posed_grpc_call *call, int32_t code, const char *details);
/// Whether the last message failed to come because of an error, not of the stream's end.
bool posed_grpc_call_failed_before_message(posed_grpc_call *call);
/// Releases the caller's hold. Operations that were started complete all the same.
void posed_grpc_call_destroy(posed_grpc_call *call);

// ---------------------------------------------------------------------------------------------
// Options of servers and channels

/// Leaves an option at the library's default.
#define POSED_GRPC_DEFAULT INT32_MIN

/// Whatever is `POSED_GRPC_DEFAULT` or NULL is left to the library. Sizes are bytes, times
/// milliseconds.
typedef struct posed_grpc_options {
  int32_t max_receive_bytes;
  int32_t max_send_bytes;
  int32_t max_metadata_bytes;
  int32_t max_concurrent_streams;
  int32_t window_bytes;
  int32_t max_frame_bytes;
  int32_t keepalive_time;
  int32_t keepalive_timeout;
  int32_t keepalive_without_calls; ///< 0 or 1
  int32_t least_ping_interval;
  int32_t max_ping_strikes;
  int32_t max_pings_without_data;
  int32_t handshake_timeout;
  int32_t least_reconnect_delay;
  int32_t most_reconnect_delay;
  int32_t accepts_gzip; ///< 0 or 1
  const char *target_name;
  const char *authority;
  const char *user_agent;
} posed_grpc_options;

/// Every option at its default.
posed_grpc_options posed_grpc_options_default(void);

// ---------------------------------------------------------------------------------------------
// Servers

posed_grpc_server *posed_grpc_server_create(const posed_grpc_options *options);
/// Lets events of the server come out of `queue` too. Before the start, at least once.
void posed_grpc_server_register(posed_grpc_server *server, posed_grpc_queue *queue);
void posed_grpc_server_start(posed_grpc_server *server);
/// Serves HTTP/2 on a connected socket, which the library owns from now on. After the start.
void posed_grpc_server_adopt_connection(posed_grpc_server *server, int descriptor);
/// Asks for one call: `tag` comes out of the queue with it, or without success at shutdown.
bool posed_grpc_server_request(posed_grpc_server *server, posed_grpc_queue *queue,
                               posed_grpc_arrival *arrival, void *tag);
/// Admits no more calls; `tag` comes when all calls and connections have ended.
void posed_grpc_server_shutdown(posed_grpc_server *server, posed_grpc_queue *queue, void *tag);
/// Ends all calls and connections; only after `posed_grpc_server_shutdown`.
void posed_grpc_server_cancel_all(posed_grpc_server *server);
/// Only after the shutdown's tag has come.
void posed_grpc_server_destroy(posed_grpc_server *server);

/// Room for one call to arrive in. NULL when memory is short.
posed_grpc_arrival *posed_grpc_arrival_create(void);
/// The call that came, now the caller's.
posed_grpc_call *posed_grpc_arrival_take_call(posed_grpc_arrival *arrival);
posed_grpc_bytes posed_grpc_arrival_method(const posed_grpc_arrival *arrival);
posed_grpc_bytes posed_grpc_arrival_authority(const posed_grpc_arrival *arrival);
/// Nanoseconds left until the call's deadline, negative when it has passed, INT64_MAX for none.
int64_t posed_grpc_arrival_time_left(const posed_grpc_arrival *arrival);
size_t posed_grpc_arrival_metadata_count(const posed_grpc_arrival *arrival);
posed_grpc_entry posed_grpc_arrival_metadata(const posed_grpc_arrival *arrival, size_t index);
void posed_grpc_arrival_destroy(posed_grpc_arrival *arrival);

// ---------------------------------------------------------------------------------------------
// Channels

/// Whether a channel can carry calls.
typedef enum posed_grpc_connectivity {
  POSED_GRPC_IDLE = 0,
  POSED_GRPC_CONNECTING = 1,
  POSED_GRPC_READY = 2,
  POSED_GRPC_TRANSIENT_FAILURE = 3,
  POSED_GRPC_CHANNEL_SHUTDOWN = 4,
} posed_grpc_connectivity;

posed_grpc_channel *posed_grpc_channel_create(const char *target, posed_grpc_channel_credentials *credentials,
                                              const posed_grpc_options *options);
/// A call of `method`; `time_left` in nanoseconds, INT64_MAX for no deadline. NULL when refused.
posed_grpc_call *posed_grpc_channel_create_call(posed_grpc_channel *channel, posed_grpc_queue *queue,
                                                posed_grpc_bytes method, int64_t time_left);
posed_grpc_connectivity posed_grpc_channel_connectivity(posed_grpc_channel *channel, bool connect);
/// `tag` comes when the state is no longer `last` (success) or the time has passed.
void posed_grpc_channel_watch(posed_grpc_channel *channel, posed_grpc_connectivity last, int64_t time_left,
                              posed_grpc_queue *queue, void *tag);
void posed_grpc_channel_destroy(posed_grpc_channel *channel);

// ---------------------------------------------------------------------------------------------
// Credentials

posed_grpc_channel_credentials *posed_grpc_channel_credentials_insecure(void);
/// TLS. `roots` are the authorities to trust; `private_key` and `chain` are both NULL or both given.
posed_grpc_channel_credentials *posed_grpc_channel_credentials_tls(const char *roots, const char *private_key,
                                                                   const char *chain);
void posed_grpc_channel_credentials_destroy(posed_grpc_channel_credentials *credentials);

// ---------------------------------------------------------------------------------------------
// Sockets and threads: what Linux offers beyond POSIX

/// Conditions of a descriptor.
#define POSED_POLL_READABLE 0x1u
#define POSED_POLL_WRITABLE 0x4u
/// The peer has closed its end.
#define POSED_POLL_PEER_CLOSED 0x2000u
/// The connection is broken, or closed on both ends; told whether asked for or not.
#define POSED_POLL_BROKEN 0x18u
/// To be told of changes alone, not of what was told before.
#define POSED_POLL_CHANGES 0x80000000u

/// The most events that one wait returns.
#define POSED_POLL_MOST 128

/// What a descriptor came to.
typedef struct posed_poll_event {
  uint64_t key;
  uint32_t conditions;
} posed_poll_event;

/// A set of descriptors to wait for; -1 with errno. Closed like any descriptor.
int posed_poller_create(void);
/// Waits for these conditions of a descriptor from now on, and shows `key` with them.
bool posed_poller_watch(int poller, int descriptor, uint32_t conditions, uint64_t key);
void posed_poller_forget(int poller, int descriptor);
/// Waits for events, at most `milliseconds`, and returns how many came.
int posed_poller_wait(int poller, posed_poll_event *events, int capacity, int milliseconds);

/// Who connected to a Unix socket, as the kernel noted it at that moment.
typedef struct posed_socket_peer {
  uint32_t user;
  uint32_t group;
  int32_t process;
} posed_socket_peer;

/// Accepts one connection, non-blocking and closed on exec; -1 with errno when there is none.
int posed_socket_accept(int listener);
/// Sends what is written to a TCP socket without waiting for more.
void posed_socket_send_at_once(int descriptor);
/// Two connected stream sockets, non-blocking and closed on exec; false with errno.
bool posed_socket_pair(int *first, int *second);
/// The credentials of the other end of a connected Unix socket.
bool posed_socket_credentials(int descriptor, posed_socket_peer *peer);
/// A descriptor that becomes readable when eight bytes are written to it, whose sum one read takes.
int posed_wakeup_create(void);
/// Writing to a socket whose peer is gone is an error in the calling thread from now on, and no signal: for
/// libraries that write without MSG_NOSIGNAL.
void posed_thread_block_broken_pipes(void);
/// Names the calling thread, in at most 15 bytes, for debuggers and `top`.
void posed_thread_set_name(const char *name);

#ifdef __cplusplus
}
#endif

#endif
