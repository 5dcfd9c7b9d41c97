#include "internal.h"

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
