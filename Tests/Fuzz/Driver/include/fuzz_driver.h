// libFuzzer's driver, for a program that has a main of its own.
#ifndef POSED_FUZZ_DRIVER_H
#define POSED_FUZZ_DRIVER_H

#include <stddef.h>
#include <stdint.h>

// Tries inputs as the arguments say; `one` is called with each and returns 0. Returns an exit status.
int posed_fuzz(int argc, char **argv, int (*one)(const uint8_t *data, size_t size));

#endif
