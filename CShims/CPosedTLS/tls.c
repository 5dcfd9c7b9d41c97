#define _GNU_SOURCE

#include "posed_tls.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct posed_tls_context {
  SSL_CTX *native;
  X509_STORE *roots; ///< of clients; NULL where they are not asked
  posed_tls_client client;
  posed_tls_protocol protocol;
};

struct posed_tls_session {
  SSL *native;
  posed_tls_protocol protocol;
};

void posed_tls_reason(char *reason, size_t capacity) {
  unsigned long code = ERR_peek_last_error();
  const char *text = code ? ERR_reason_error_string(code) : NULL;
  strncpy(reason, text ? text : "the connection broke", capacity - 1);
  reason[capacity - 1] = 0;
  ERR_clear_error();
}

// ---------------------------------------------------------------------------------------------
// Contexts

/// Nobody is asked for the password of a key: an encrypted one is refused.
static int no_password(char *buffer, int size, int writing, void *context) {
  (void)buffer, (void)size, (void)writing, (void)context;
  return -1;
}

/// A protocol as ALPN names it.
typedef struct protocol_name {
  const unsigned char *bytes;
  unsigned int size;
} protocol_name;

static const unsigned char http2[] = {2, 'h', '2'};
static const unsigned char http1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
/// They outlive every context, which sessions need not.
static protocol_name protocol_names[] = {
    [POSED_TLS_HTTP2] = {http2, sizeof http2},
    [POSED_TLS_HTTP1] = {http1, sizeof http1},
};

/// The context's protocol or nothing.
static int choose_protocol(SSL *session, const unsigned char **chosen, unsigned char *size,
                           const unsigned char *offered, unsigned int count, void *context) {
  (void)session;
  const protocol_name *spoken = context;
  unsigned char *found = NULL;
  if (SSL_select_next_proto(&found, size, spoken->bytes, spoken->size, offered, count) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

static BIO *text_source(const char *text) { return BIO_new_mem_buf(text, -1); }

static bool use_chain(SSL_CTX *native, const char *chain) {
  BIO *source = text_source(chain);
  X509 *leaf = source ? PEM_read_bio_X509_AUX(source, NULL, no_password, NULL) : NULL;
  bool good = leaf && SSL_CTX_use_certificate(native, leaf) == 1;
  X509_free(leaf);
  while (good) {
    X509 *next = PEM_read_bio_X509(source, NULL, no_password, NULL);
    if (!next) break;
    good = SSL_CTX_add0_chain_cert(native, next) == 1;
    if (!good) X509_free(next);
  }
  if (good) ERR_clear_error(); // the end of the text is an error, too
  BIO_free(source);
  return good;
}

static bool use_key(SSL_CTX *native, const char *key) {
  BIO *source = text_source(key);
  EVP_PKEY *parsed = source ? PEM_read_bio_PrivateKey(source, NULL, no_password, NULL) : NULL;
  bool good = parsed && SSL_CTX_use_PrivateKey(native, parsed) == 1 && SSL_CTX_check_private_key(native) == 1;
  EVP_PKEY_free(parsed);
  BIO_free(source);
  return good;
}

/// Takes the authorities of clients, of which there must be one, and has their names told to clients.
static bool use_roots(posed_tls_context *context, const char *roots) {
  BIO *source = text_source(roots);
  context->roots = X509_STORE_new();
  int count = 0;
  bool good = source && context->roots;
  while (good) {
    X509 *root = PEM_read_bio_X509_AUX(source, NULL, no_password, NULL);
    if (!root) break;
    good =
        X509_STORE_add_cert(context->roots, root) == 1 && SSL_CTX_add_client_CA(context->native, root) == 1;
    X509_free(root);
    count++;
  }
  BIO_free(source);
  if (good && count) ERR_clear_error();
  if (!good || !count || SSL_CTX_set1_verify_cert_store(context->native, context->roots) != 1) return false;
  int mode = SSL_VERIFY_PEER;
  if (context->client == POSED_TLS_CLIENT_REQUIRED) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context->native, mode, NULL);
  return true;
}

posed_tls_context *posed_tls_context_create(const char *chain, const char *key, const char *client_roots,
                                            posed_tls_client client, posed_tls_protocol protocol,
                                            char *reason, size_t capacity) {
  ERR_clear_error();
  posed_tls_context *context = calloc(1, sizeof *context);
  if (!context) return NULL;
  context->client = client;
  context->protocol = protocol;
  context->native = SSL_CTX_new(TLS_server_method());
  bool good = context->native && SSL_CTX_set_min_proto_version(context->native, TLS1_2_VERSION) == 1;
  if (good) {
    // Every connection shows who it is anew: no session is resumed.
    SSL_CTX_set_session_cache_mode(context->native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context->native, 0);
    SSL_CTX_set_options(context->native, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                             SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context->native, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                          SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context->native, choose_protocol, &protocol_names[protocol]);
    good = use_chain(context->native, chain) && use_key(context->native, key);
  }
  if (good && client != POSED_TLS_CLIENT_IGNORED) good = client_roots && use_roots(context, client_roots);
  if (good) return context;
  posed_tls_reason(reason, capacity);
  posed_tls_context_destroy(context);
  return NULL;
}

void posed_tls_context_destroy(posed_tls_context *context) {
  X509_STORE_free(context->roots);
  SSL_CTX_free(context->native);
  free(context);
}

// ---------------------------------------------------------------------------------------------
// Sessions

posed_tls_session *posed_tls_session_create(posed_tls_context *context, int descriptor) {
  posed_tls_session *session = calloc(1, sizeof *session);
  if (!session) return NULL;
  session->native = SSL_new(context->native);
  if (!session->native || SSL_set_fd(session->native, descriptor) != 1) {
    posed_tls_session_destroy(session);
    return NULL;
  }
  session->protocol = context->protocol;
  SSL_set_accept_state(session->native);
  return session;
}

void posed_tls_session_destroy(posed_tls_session *session) {
  SSL_free(session->native);
  free(session);
}

static posed_tls_result result_of(posed_tls_session *session, int returned) {
  switch (SSL_get_error(session->native, returned)) {
  case SSL_ERROR_NONE:
    return POSED_TLS_DONE;
  case SSL_ERROR_WANT_READ:
    return POSED_TLS_WANTS_READ;
  case SSL_ERROR_WANT_WRITE:
    return POSED_TLS_WANTS_WRITE;
  case SSL_ERROR_ZERO_RETURN:
    return POSED_TLS_ENDED;
  default:
    return POSED_TLS_FAILED;
  }
}

posed_tls_result posed_tls_handshake(posed_tls_session *session) {
  ERR_clear_error();
  posed_tls_result result = result_of(session, SSL_do_handshake(session->native));
  if (result != POSED_TLS_DONE || session->protocol == POSED_TLS_HTTP1) return result;
  // A client that offers no protocol at all is not asked by `choose_protocol`.
  const unsigned char *protocol = NULL;
  unsigned int size = 0;
  SSL_get0_alpn_selected(session->native, &protocol, &size);
  if (size != 0) return POSED_TLS_DONE;
  ERR_raise(ERR_LIB_SSL, SSL_R_NO_APPLICATION_PROTOCOL);
  return POSED_TLS_FAILED;
}

posed_tls_result posed_tls_read(posed_tls_session *session, void *target, size_t capacity, size_t *count) {
  ERR_clear_error();
  return result_of(session, SSL_read_ex(session->native, target, capacity, count));
}

posed_tls_result posed_tls_write(posed_tls_session *session, const void *source, size_t size, size_t *count) {
  ERR_clear_error();
  return result_of(session, SSL_write_ex(session->native, source, size, count));
}

void posed_tls_close(posed_tls_session *session) {
  ERR_clear_error();
  SSL_shutdown(session->native);
  ERR_clear_error();
}

bool posed_tls_session_suits(posed_tls_session *session, posed_tls_context *context) {
  X509 *shown = SSL_get0_peer_certificate(session->native);
  if (!shown) return context->client != POSED_TLS_CLIENT_REQUIRED;
  if (!context->roots) return false;
  X509_STORE_CTX *check = X509_STORE_CTX_new();
  bool suits =
      check &&
      X509_STORE_CTX_init(check, context->roots, shown, SSL_get_peer_cert_chain(session->native)) == 1 &&
      X509_STORE_CTX_set_default(check, "ssl_client") == 1 && X509_verify_cert(check) == 1;
  X509_STORE_CTX_free(check);
  ERR_clear_error();
  return suits;
}

// ---------------------------------------------------------------------------------------------
// Names

typedef struct visitor {
  void *context;
  void (*visit)(void *context, posed_tls_name kind, const char *text);
} visitor;

/// Shows a text of `size` bytes, if no byte of it could be taken for something else: an identity must not end
/// at a zero.
static void show(const visitor *to, posed_tls_name kind, const char *text, size_t size) {
  if (!text || size == 0) return;
  for (size_t i = 0; i < size; i++)
    if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F) return;
  char *copy = strndup(text, size);
  if (copy) to->visit(to->context, kind, copy);
  free(copy);
}

static void show_string(const visitor *to, posed_tls_name kind, const ASN1_STRING *string) {
  unsigned char *text = NULL;
  int size = string ? ASN1_STRING_to_UTF8(&text, string) : -1;
  if (size > 0) show(to, kind, (const char *)text, (size_t)size);
  if (size >= 0) OPENSSL_free(text);
}

static void show_subject(const visitor *to, X509_NAME *subject) {
  BIO *target = BIO_new(BIO_s_mem());
  if (!target) return;
  if (X509_NAME_print_ex(target, subject, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) > 0) {
    char *text = NULL;
    long size = BIO_get_mem_data(target, &text);
    if (size > 0) show(to, POSED_TLS_SUBJECT, text, (size_t)size);
  }
  BIO_free(target);
  int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  X509_NAME_ENTRY *entry = place >= 0 ? X509_NAME_get_entry(subject, place) : NULL;
  if (entry) show_string(to, POSED_TLS_COMMON_NAME, X509_NAME_ENTRY_get_data(entry));
}

static void show_address(const visitor *to, const ASN1_OCTET_STRING *address) {
  int size = ASN1_STRING_length(address);
  char text[INET6_ADDRSTRLEN];
  int family = size == 4 ? AF_INET : size == 16 ? AF_INET6 : AF_UNSPEC;
  if (family != AF_UNSPEC && inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof text))
    show(to, POSED_TLS_ALTERNATIVE_NAME, text, strlen(text));
}

void posed_tls_visit_names(posed_tls_session *session, void *context,
                           void (*visit)(void *visitor, posed_tls_name kind, const char *text)) {
  X509 *shown = SSL_get0_peer_certificate(session->native);
  if (!shown || SSL_get_verify_result(session->native) != X509_V_OK) return;
  visitor to = {context, visit};
  show_subject(&to, X509_get_subject_name(shown));
  GENERAL_NAMES *names = X509_get_ext_d2i(shown, NID_subject_alt_name, NULL, NULL);
  for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
    int kind = 0;
    const void *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &kind);
    if (kind == GEN_DNS || kind == GEN_URI || kind == GEN_EMAIL)
      show_string(&to, POSED_TLS_ALTERNATIVE_NAME, value);
    if (kind == GEN_IPADD) show_address(&to, value);
  }
  GENERAL_NAMES_free(names);
  ERR_clear_error();
}
