// What libFuzzer's program calls; it brings a main of its own (-fsanitize=fuzzer), and Swift has the rest.
#ifndef POSED_FUZZ_DRIVER_H
#define POSED_FUZZ_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Chooses the reader that gets the inputs, by its name; false, with a line on stdout, where there is none of it.
bool posed_fuzz_choose(const char *name);

// Gives the reader an input.
void posed_fuzz_read(const uint8_t *data, size_t size);

#endif
