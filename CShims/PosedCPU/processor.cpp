#include "processor.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

namespace posed {
namespace {

struct Leaf {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Leaf leaf(uint32_t number, uint32_t sub = 0) {
  Leaf value;
  if (__get_cpuid_count(number, sub, &value.a, &value.b, &value.c, &value.d) == 0) return {};
  return value;
}

bool bit(uint32_t word, int index) { return (word >> index) & 1; }

uint64_t enabled_state() {
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t(high) << 32) | low;
}

std::string brand() {
  if (leaf(0x80000000).a < 0x80000004) return "x86-64 processor";
  char text[49] = {};
  for (uint32_t part = 0; part < 3; ++part) {
    Leaf words = leaf(0x80000002 + part);
    std::memcpy(text + part * 16, &words, 16);
  }
  std::string name(text);
  size_t first = name.find_first_not_of(' ');
  size_t last = name.find_last_not_of(' ');
  return first == std::string::npos ? "x86-64 processor" : name.substr(first, last - first + 1);
}

Features detect() {
  Features found;
  found.name = brand();
  Leaf one = leaf(1);
  long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
  found.l2_bytes = l2 > 0 ? l2 : 0;
  if (!bit(one.c, 27)) return found; // the system has not enabled XGETBV

  uint64_t state = enabled_state();
  bool ymm = (state & 0x6) == 0x6;
  bool zmm = (state & 0xE6) == 0xE6;
  bool tiles = (state & 0x60000) == 0x60000;
  Leaf seven = leaf(7), more = leaf(7, 1);
  found.avx2 = ymm && bit(one.c, 28) && bit(one.c, 12) && bit(one.c, 29) && bit(seven.b, 5);
  found.avx512 =
      found.avx2 && zmm && bit(seven.b, 16) && bit(seven.b, 17) && bit(seven.b, 30) && bit(seven.b, 31);
  found.avx512_vnni = found.avx512 && bit(seven.c, 11);
  found.avx512_bf16 = found.avx512 && bit(more.a, 5);
  found.amx = found.avx512 && tiles && bit(seven.d, 22) && bit(seven.d, 24) && bit(seven.d, 25);
  return found;
}

} // namespace

const Features &features() {
  static const Features found = detect();
  return found;
}

bool request_amx() {
  constexpr long get_permission = 0x1022, request_permission = 0x1023, tile_data = 18;
  if (!features().amx) return false;
  if (syscall(SYS_arch_prctl, request_permission, tile_data) != 0) return false;
  unsigned long granted = 0;
  if (syscall(SYS_arch_prctl, get_permission, &granted) != 0) return false;
  return (granted >> tile_data) & 1;
}

} // namespace posed
