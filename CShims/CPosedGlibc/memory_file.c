#define _GNU_SOURCE
#include "posed_memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>

static const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

int posed_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); }

int posed_memory_file_seal(int descriptor) { return fcntl(descriptor, F_ADD_SEALS, seals); }

_Bool posed_memory_file_is_sealed(int descriptor) {
  const int found = fcntl(descriptor, F_GET_SEALS);
  return found >= 0 && (found & seals) == seals;
}
