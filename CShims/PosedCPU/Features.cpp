#include "posed_cpu/features.h"

#include <cpuid.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

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
  Leaf zero = leaf(0);
  char vendor[13] = {};
  std::memcpy(vendor, &zero.b, 4);
  std::memcpy(vendor + 4, &zero.d, 4);
  std::memcpy(vendor + 8, &zero.c, 4);
  found.vendor = vendor;
  found.name = brand();
  Leaf one = leaf(1);
  int family = (one.a >> 8) & 15, model = (one.a >> 4) & 15;
  if (family == 15 || family == 6) model += ((one.a >> 16) & 15) << 4;
  if (family == 15) family += (one.a >> 20) & 255;
  found.family = family;
  found.model = model;
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
  found.avx512_fp16 = found.avx512 && bit(seven.d, 23);
  found.avx512_bf16 = found.avx512 && bit(more.a, 5);
  found.amx = found.avx512 && tiles && bit(seven.d, 22) && bit(seven.d, 24) && bit(seven.d, 25);
  return found;
}

/// POSED_ISA, "avx2" or "baseline", takes the better sets away: to compare them, or to reproduce the
/// bits of a lesser machine.
Features limited(Features found) {
  const char *wish = std::getenv("POSED_ISA");
  if (wish == nullptr) return found;
  bool baseline = std::strcmp(wish, "baseline") == 0;
  if (!baseline && std::strcmp(wish, "avx2") != 0) return found;
  found.avx2 = found.avx2 && !baseline;
  found.avx512 = found.avx512_bf16 = found.avx512_vnni = found.avx512_fp16 = false;
  found.amx = false;
  return found;
}

/// CPUs' worth of run time that a control group folder grants; a huge number where there is no limit.
double quota(const std::string &folder) {
  double period = 0;
  std::string granted;
  std::ifstream two(folder + "/cpu.max");
  if (two >> granted >> period && granted != "max" && period > 0) {
    return std::atof(granted.c_str()) / period;
  }
  double amount = -1;
  std::ifstream one(folder + "/cpu.cfs_quota_us"), length(folder + "/cpu.cfs_period_us");
  if (one >> amount && length >> period && amount > 0 && period > 0) return amount / period;
  return 1e9;
}

double control_group_quota() {
  double least = std::min(quota("/sys/fs/cgroup"), quota("/sys/fs/cgroup/cpu"));
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::string controllers = line.substr(first + 1, second - first - 1);
    bool unified = controllers.empty();
    if (!unified && (',' + controllers + ',').find(",cpu,") == std::string::npos) continue;
    std::string root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
    std::string path = line.substr(second + 1);
    while (path.size() > 1) { // a parent's quota binds its children too
      least = std::min(least, quota(root + path));
      path = path.substr(0, path.rfind('/'));
    }
  }
  return least;
}

} // namespace

const Features &features() {
  static const Features found = limited(detect());
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

const char *name(Isa isa) {
  switch (isa) {
  case Isa::avx512:
    return "avx512";
  case Isa::avx2:
    return "avx2";
  case Isa::baseline:
    return "baseline";
  }
  return "baseline";
}

int usable_threads() {
  int count = static_cast<int>(std::thread::hardware_concurrency());
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) count = CPU_COUNT(&mask);
  double granted = std::ceil(control_group_quota());
  if (granted < count) count = static_cast<int>(granted);
  return std::max(count, 1);
}

} // namespace posed
