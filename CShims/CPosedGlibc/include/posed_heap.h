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

/// What all of glibc's heaps hold at this moment, in bytes.
typedef struct posed_heap_state {
  size_t used;   ///< of blocks that are in use, those mapped by themselves included
  size_t unused; ///< kept for later: holes between blocks, and what lies behind the last
  size_t mapped; ///< of blocks that are mapped by themselves, all of them in use
} posed_heap_state;

/// Looks at the heaps; takes their locks, one after the other.
posed_heap_state posed_heap_now(void);
