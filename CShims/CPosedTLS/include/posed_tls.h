/// The server's side of TLS 1.2 and 1.3 over connected sockets, by the system's OpenSSL.
///
/// A context holds a certificate with its key, and the authorities of clients; a session is the TLS of one
/// connection. No function blocks where the socket does not, none prints, and none aborts on what a peer
/// sends. A context may be used by several threads; a session by one at a time.
#ifndef POSED_TLS_H
#define POSED_TLS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct posed_tls_context posed_tls_context;
typedef struct posed_tls_session posed_tls_session;

/// What clients must show.
typedef enum posed_tls_client {
  POSED_TLS_CLIENT_IGNORED = 0,  ///< they are not asked for a certificate
  POSED_TLS_CLIENT_OPTIONAL = 1, ///< a certificate is verified where there is one
  POSED_TLS_CLIENT_REQUIRED = 2, ///< without a verified certificate the handshake fails
} posed_tls_client;

/// What is spoken within TLS.
typedef enum posed_tls_protocol {
  POSED_TLS_HTTP2 = 0, ///< clients must name it in the handshake
  POSED_TLS_HTTP1 = 1, ///< clients that name none mean it
} posed_tls_protocol;

/// What a step of a session came to.
typedef enum posed_tls_result {
  POSED_TLS_DONE = 0,
  POSED_TLS_WANTS_READ = 1,  ///< again when the socket is readable
  POSED_TLS_WANTS_WRITE = 2, ///< again when the socket is writable
  POSED_TLS_ENDED = 3,       ///< the peer said that it sends no more
  POSED_TLS_FAILED = 4,      ///< the session is over; `posed_tls_reason` says why
} posed_tls_result;

/// A context that serves one protocol alone. All texts are PEM and end with a zero: `chain` is the
/// certificate and those that lead to its authority, `key` its private key, `client_roots` the authorities of
/// clients (NULL with POSED_TLS_CLIENT_IGNORED). NULL where they do not make a usable set, with a reason in
/// `reason`.
posed_tls_context *posed_tls_context_create(const char *chain, const char *key, const char *client_roots,
                                            posed_tls_client client, posed_tls_protocol protocol,
                                            char *reason, size_t capacity);
/// Sessions that were made from the context keep it alive.
void posed_tls_context_destroy(posed_tls_context *context);

/// The session of a connected socket, which stays the caller's. NULL when memory is short.
posed_tls_session *posed_tls_session_create(posed_tls_context *context, int descriptor);
void posed_tls_session_destroy(posed_tls_session *session);

/// Takes the handshake as far as the socket lets it.
posed_tls_result posed_tls_handshake(posed_tls_session *session);
/// Reads at least one and at most `capacity` bytes; `count` says how many.
posed_tls_result posed_tls_read(posed_tls_session *session, void *target, size_t capacity, size_t *count);
/// Writes at least one of `size` bytes; `count` says how many. What was refused must be offered again, with
/// the same bytes in front, before anything else.
posed_tls_result posed_tls_write(posed_tls_session *session, const void *source, size_t size, size_t *count);
/// Tells the peer that no more will come. Does not wait for its answer.
void posed_tls_close(posed_tls_session *session);
/// Why the last step failed, in words.
void posed_tls_reason(char *reason, size_t capacity);

/// Whether the peer showed a certificate that a handshake with `context` would accept now. True for a peer
/// that showed none, where the context does not require one.
bool posed_tls_session_suits(posed_tls_session *session, posed_tls_context *context);

/// A kind of name in a certificate.
typedef enum posed_tls_name {
  POSED_TLS_SUBJECT = 0, ///< all of the subject, as RFC 2253 writes it
  POSED_TLS_COMMON_NAME = 1,
  POSED_TLS_ALTERNATIVE_NAME = 2, ///< a DNS name, a URI, an address of mail or of the internet
} posed_tls_name;

/// Shows the names in the peer's verified certificate: UTF-8, terminated, without control characters. Nothing
/// where it showed none.
void posed_tls_visit_names(posed_tls_session *session, void *visitor,
                           void (*visit)(void *visitor, posed_tls_name kind, const char *text));

#ifdef __cplusplus
}
#endif

#endif
