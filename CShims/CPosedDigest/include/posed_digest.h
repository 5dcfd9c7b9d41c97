/// SHA-256, by the system's OpenSSL.
///
/// Memory that runs out ends the program, as it does everywhere in Swift.
#ifndef POSED_DIGEST_H
#define POSED_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define POSED_DIGEST_BYTES 32

/// A digest that bytes are added to.
typedef struct posed_digest posed_digest;

posed_digest *posed_digest_create(void);
void posed_digest_destroy(posed_digest *digest);
void posed_digest_add(posed_digest *digest, const void *bytes, size_t count);
/// Writes POSED_DIGEST_BYTES bytes. Nothing can be added afterwards.
void posed_digest_finish(posed_digest *digest, uint8_t *result);

/// The digest of bytes that are all there.
void posed_digest_of(const void *bytes, size_t count, uint8_t *result);

#endif
