#include "posed_digest.h"

#include <stdlib.h>

#include <openssl/evp.h>

/// An EVP_MD_CTX under a name of this library.
static EVP_MD_CTX *native(posed_digest *digest) { return (EVP_MD_CTX *)digest; }

/// OpenSSL fails here only where memory runs out, or where a library without SHA-256 is installed.
static void need(int succeeded) {
  if (!succeeded) abort();
}

posed_digest *posed_digest_create(void) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  need(context && EVP_DigestInit_ex(context, EVP_sha256(), NULL));
  return (posed_digest *)context;
}

void posed_digest_destroy(posed_digest *digest) { EVP_MD_CTX_free(native(digest)); }

void posed_digest_add(posed_digest *digest, const void *bytes, size_t count) {
  need(EVP_DigestUpdate(native(digest), bytes, count));
}

void posed_digest_finish(posed_digest *digest, uint8_t *result) {
  need(EVP_DigestFinal_ex(native(digest), result, NULL));
}

void posed_digest_of(const void *bytes, size_t count, uint8_t *result) {
  need(EVP_Digest(bytes, count, result, NULL, EVP_sha256(), NULL));
}
