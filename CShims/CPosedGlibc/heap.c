#include "posed_heap.h"

#include <malloc.h>

_Bool posed_heap_set(posed_heap_rule rule, int value) {
  static const int parameters[] = {
      [POSED_HEAP_ARENAS] = M_ARENA_MAX,
      [POSED_HEAP_MAP_FROM] = M_MMAP_THRESHOLD,
      [POSED_HEAP_TRIM_FROM] = M_TRIM_THRESHOLD,
  };
  return mallopt(parameters[rule], value) == 1;
}

posed_heap_state posed_heap_now(void) {
  const struct mallinfo2 found = mallinfo2();
  return (posed_heap_state){
      .used = found.uordblks + found.hblkhd,
      .unused = found.fordblks,
      .mapped = found.hblkhd,
  };
}
