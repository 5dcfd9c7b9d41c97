#include "fuzz_driver.h"

// Of the compiler's runtime library (-fsanitize=fuzzer).
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one)(const uint8_t *data, size_t size));

int posed_fuzz(int argc, char **argv, int (*one)(const uint8_t *data, size_t size)) {
  return LLVMFuzzerRunDriver(&argc, &argv, one);
}
