#include "internal.h"

#include <stdatomic.h>

struct posed_grpc_certificate_sink {
  grpc_ssl_server_certificate_config *config;
};

static _Atomic(posed_grpc_fetch) installed_fetch;

void posed_grpc_set_certificate_fetch(posed_grpc_fetch fetch) { atomic_store(&installed_fetch, fetch); }

static grpc_ssl_certificate_config_reload_status fetch_config(void *user_data,
                                                              grpc_ssl_server_certificate_config **config) {
  posed_grpc_certificate_sink sink = {NULL};
  posed_grpc_fetch fetch = atomic_load(&installed_fetch);
  posed_grpc_fetch_result result =
      fetch ? fetch((uint64_t)(uintptr_t)user_data, &sink) : POSED_GRPC_FETCH_FAILED;
  *config = sink.config;
  if (result == POSED_GRPC_FETCH_UNCHANGED) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  if (result == POSED_GRPC_FETCH_NEW && sink.config) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
}

void posed_grpc_certificate_sink_put(posed_grpc_certificate_sink *sink, const char *client_roots,
                                     const char *private_key, const char *chain) {
  if (sink->config) return;
  grpc_ssl_pem_key_cert_pair pair = {private_key, chain};
  // A library built with assertions aborts without roots, even where no client is asked for a
  // certificate. Then they are never used, and any certificate will do.
  const char *roots = client_roots ? client_roots : chain;
  sink->config = grpc_ssl_server_certificate_config_create(roots, &pair, 1);
}

posed_grpc_server_credentials *posed_grpc_server_credentials_insecure(void) {
  return (posed_grpc_server_credentials *)grpc_insecure_server_credentials_create();
}

posed_grpc_server_credentials *posed_grpc_server_credentials_tls(posed_grpc_client_certificate request,
                                                                 uint64_t source) {
  grpc_ssl_client_certificate_request_type type = GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
  if (request == POSED_GRPC_CLIENT_CERTIFICATE_OPTIONAL)
    type = GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
  if (request == POSED_GRPC_CLIENT_CERTIFICATE_REQUIRED)
    type = GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  grpc_ssl_server_credentials_options *options =
      grpc_ssl_server_credentials_create_options_using_config_fetcher(type, fetch_config,
                                                                      (void *)(uintptr_t)source);
  return (posed_grpc_server_credentials *)grpc_ssl_server_credentials_create_with_options(options);
}

void posed_grpc_server_credentials_destroy(posed_grpc_server_credentials *credentials) {
  grpc_server_credentials_release((grpc_server_credentials *)credentials);
}

posed_grpc_channel_credentials *posed_grpc_channel_credentials_insecure(void) {
  return (posed_grpc_channel_credentials *)grpc_insecure_credentials_create();
}

posed_grpc_channel_credentials *posed_grpc_channel_credentials_tls(const char *roots, const char *private_key,
                                                                   const char *chain) {
  grpc_ssl_pem_key_cert_pair pair = {private_key, chain};
  return (posed_grpc_channel_credentials *)grpc_ssl_credentials_create_ex(roots, private_key ? &pair : NULL,
                                                                          NULL, NULL);
}

void posed_grpc_channel_credentials_destroy(posed_grpc_channel_credentials *credentials) {
  grpc_channel_credentials_release((grpc_channel_credentials *)credentials);
}
