// cuda-scenarios PLUGIN NAME: plays one scenario with the driver's stand-in; one sentence and status 1 where
// it does not go as it must. Without NAME: the names.
#include <cstdio>

#include "Bench.h"

int main(int count, char **words) {
  std::map<std::string, scenarios::Scenario> all;
  scenarios::add_memory(all);
  scenarios::add_failures(all);
  scenarios::add_kernels(all);
  if (count == 2) {
    for (const auto &[name, play] : all) std::puts(name.c_str());
    return 0;
  }
  if (count != 3 || !all.contains(words[2])) {
    std::fprintf(stderr, "usage: cuda-scenarios PLUGIN [NAME]\n");
    return 2;
  }
  try {
    all[words[2]](scenarios::Plugin(words[1]));
    return 0;
  } catch (const scenarios::Failed &failed) {
    std::fprintf(stderr, "%s: %s\n", words[2], failed.what());
    return 1;
  }
}
