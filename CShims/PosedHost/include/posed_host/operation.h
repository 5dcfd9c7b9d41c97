// An operation that has been planned: everything is resolved, `run` only computes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace posed {

/// One thread of a device while it works. Worker 0 is the thread that called the device.
struct Worker {
  int index = 0;
  int count = 1;
  std::byte *scratch = nullptr; // this worker's own, at least what the operation asked for
  std::byte *shared = nullptr;  // that of all workers, the same in every phase of an operation
};

/// Work cut into phases and each phase into tasks. Phases follow one another; the tasks of a phase
/// run in any order on any worker, so a result must not depend on who runs what: cut the work by the
/// problem's shape, never by the number of threads. `run` must not allocate; it may throw a Failure,
/// which the caller of the device gets.
class Operation {
public:
  /// `tasks[p]`: number of tasks of phase p, at least 1. `scratch`: bytes that each worker needs.
  /// `shared`: bytes that all workers need together, from the first phase to the last.
  explicit Operation(std::vector<int> tasks, size_t scratch = 0, size_t shared = 0)
      : tasks(std::move(tasks)), scratch(scratch), shared(shared) {}
  virtual ~Operation() = default;
  Operation(const Operation &) = delete;
  Operation &operator=(const Operation &) = delete;

  virtual void run(int phase, int task, Worker &worker) = 0;

  const std::vector<int> tasks;
  const size_t scratch, shared;
};

using OperationPointer = std::unique_ptr<Operation>;

/// The piece [first, last) of `total` that is number `index` of `pieces` about equal ones.
struct Range {
  int64_t first, last;
  int64_t size() const { return last - first; }
};
inline Range piece(int64_t total, int64_t index, int64_t pieces) {
  return {total * index / pieces, total * (index + 1) / pieces};
}
/// How many blocks of `size` cover `total`.
inline int64_t blocks(int64_t total, int64_t size) { return (total + size - 1) / size; }

} // namespace posed
