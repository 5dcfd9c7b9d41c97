// How many threads a process may run at once.
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "posed_host/pool.h"

namespace posed {
namespace {

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
