// oneDNN, one thread at a time: every primitive is made for a single thread and executed inside the
// threads of the device's own pool, on the part of the work that the operation chose.
#pragma once

#include <memory>
#include <vector>

#include <dnnl.hpp>

#include "posed_cpu/device.h"

namespace posed::onednn {

/// While it lives, oneDNN plans for one thread on this thread.
class OneThread {
public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread &) = delete;
  OneThread &operator=(const OneThread &) = delete;

private:
  int before_;
};

/// Makes this thread one on which oneDNN never starts others.
void use_one_thread();

/// oneDNN's engine, and a stream for each thread of a pool.
struct Library {
  explicit Library(int threads);

  dnnl::engine engine;
  std::vector<dnnl::stream> streams;
};

inline dnnl::memory::data_type library_type(uint32_t compute) {
  return compute == POSED_BF16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

/// A primitive with source, weights, destination and scratchpad, ready for each thread.
class LibraryCall {
public:
  LibraryCall(const Library &library, const dnnl::primitive &primitive, const dnnl::memory::desc &source,
              const dnnl::memory::desc &weights, const dnnl::memory::desc &destination,
              const dnnl::memory::desc &scratchpad);

  size_t scratch_bytes() const { return scratch_; }
  void run(int thread, const void *source, const void *weights, void *destination, void *scratch) const;

private:
  struct Lane {
    dnnl::stream stream;
    dnnl::memory source, weights, destination, scratchpad;
  };
  dnnl::primitive primitive_;
  std::vector<Lane> lanes_;
  size_t scratch_;
};

/// y [rows, n] float32 = a [rows, k] · b [k, n], all strided; `weights` may have any layout.
LibraryCall make_matmul(const Library &library, const dnnl::memory::desc &a,
                        const dnnl::memory::desc &weights, const dnnl::memory::desc &y);
/// The layout that oneDNN likes for b.
dnnl::memory::desc preferred_weights(const Library &library, const dnnl::memory::desc &a,
                                     const dnnl::memory::desc &y, int64_t n);

/// Copies `from` into the layout of `to_desc`.
void reorder(const Library &library, const dnnl::memory::desc &from_desc, const void *from,
             const dnnl::memory::desc &to_desc, void *to);

std::unique_ptr<posed_weight> pack_library_linear(posed_device &device, const Library &library,
                                                  const posed_linear_weight_desc &desc);
OperationPointer plan_library_linear(posed_device &device, const Library &library, const LinearCall &call);
std::unique_ptr<posed_weight> pack_library_conv2d(posed_device &device, const Library &library,
                                                  const posed_conv2d_weight_desc &desc);
OperationPointer plan_library_conv2d(posed_device &device, const Library &library, const ConvCall &call);
OperationPointer plan_library_attention(const Library &library, const AttentionCall &call);

} // namespace posed::onednn
