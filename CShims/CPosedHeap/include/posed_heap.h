#pragma once

#include <stddef.h>

/// What glibc's heap may be told, in the words of `mallopt`.
typedef enum posed_heap_rule {
  POSED_HEAP_ARENAS,    ///< heaps at most
  POSED_HEAP_MAP_FROM,  ///< bytes from which on a block is mapped by itself
  POSED_HEAP_TRIM_FROM, ///< unused bytes at the heap's end that are given back
} posed_heap_rule;

/// Sets a rule. Whether the library has taken it.
_Bool posed_heap_set(posed_heap_rule rule, int value);

/// Bytes that are mapped block by block, at this moment.
size_t posed_heap_mapped_bytes(void);
