// Work for a stream in a form that can be carried out now, or kept and carried out later.
#pragma once

#include <cstddef>
#include <cstring>
#include <variant>
#include <vector>

#include "Kernels.h"
#include "MatrixLibrary.h"
#include "MemoryPool.h"

namespace posed::cuda {

struct Grid {
  unsigned x = 1, y = 1, z = 1;
};

/// A kernel and its parameters. `scratch_field`: where in them the address of scratch memory belongs.
struct KernelLaunch {
  Kernel kernel;
  Grid grid;
  std::vector<std::byte> parameters;
  ptrdiff_t scratch_field = -1;
};

/// A product by cuBLASLt, whose workspace is scratch memory.
struct MatrixLaunch {
  MatrixProduct product;
  MatrixAlgorithm algorithm;
};

using Launch = std::variant<KernelLaunch, MatrixLaunch>;

/// Launches in order, and the scratch memory that each of them may use.
struct Program {
  std::vector<Launch> launches;
  uint64_t scratch_bytes = 0;
};

} // namespace posed::cuda
