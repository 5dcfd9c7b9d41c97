#include "fuzz_driver.h"

#include <stdio.h>
#include <stdlib.h>

// Names that libFuzzer looks for.
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
// What libFuzzer's own main calls.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *data, size_t size));
// The name that SwiftPM gives to this program's main.
int posed_fuzz_main(int argc, char **argv);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  char **words = *argv;
  if (*argc < 2 || !posed_fuzz_choose(words[1])) exit(64);
  static char leaks[] = "-detect_leaks=0";
  words[1] = leaks;
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  posed_fuzz_read(data, size);
  return 0;
}

int posed_fuzz_main(int argc, char **argv) { return LLVMFuzzerRunDriver(&argc, &argv, LLVMFuzzerTestOneInput); }
