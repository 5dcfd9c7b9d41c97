// oneDNN runs its loops under OpenMP; the number of threads is a property of the calling thread, so
// setting it to one there is all it takes. OpenMP's runtime is found where oneDNN has loaded it.
#include "Library.h"

#include <dlfcn.h>

namespace posed::onednn {
namespace {

struct OpenMP {
  void (*set)(int) = nullptr;
  int (*get)() = nullptr;

  OpenMP() {
    void *runtime = dlopen("libgomp.so.1", RTLD_LAZY | RTLD_NOLOAD);
    if (runtime == nullptr) return;
    set = reinterpret_cast<void (*)(int)>(dlsym(runtime, "omp_set_num_threads"));
    get = reinterpret_cast<int (*)()>(dlsym(runtime, "omp_get_max_threads"));
  }
};

const OpenMP &openmp() {
  static const OpenMP found;
  return found;
}

dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

void require(dnnl_status_t status, const char *what) {
  if (status != dnnl_success)
    fail(POSED_INTERNAL, "oneDNN answered %d when asked to %s.", static_cast<int>(status), what);
}

} // namespace

OneThread::OneThread() : before_(openmp().get ? openmp().get() : 0) { use_one_thread(); }

OneThread::~OneThread() {
  if (openmp().set && before_ > 0) openmp().set(before_);
}

void use_one_thread() {
  if (openmp().set) openmp().set(1);
}

Library::Library(int threads) : engine(dnnl::engine::kind::cpu, 0) {
  for (int index = 0; index < threads; index++) streams.emplace_back(engine);
}

LibraryCall::LibraryCall(const Library &library, const dnnl::primitive &primitive,
                         const dnnl::memory::desc &source, const dnnl::memory::desc &weights,
                         const dnnl::memory::desc &destination, const dnnl::memory::desc &scratchpad)
    : primitive_(primitive), scratch_(scratchpad.get_size()) {
  for (const dnnl::stream &stream : library.streams) {
    auto memory = [&](const dnnl::memory::desc &desc) {
      return dnnl::memory(desc, library.engine, DNNL_MEMORY_NONE);
    };
    lanes_.push_back({stream, memory(source), memory(weights), memory(destination), memory(scratchpad)});
  }
}

void LibraryCall::run(int thread, const void *source, const void *weights, void *destination,
                      void *scratch) const {
  const Lane &lane = lanes_[static_cast<size_t>(thread)];
  lane.source.set_data_handle(const_cast<void *>(source));
  lane.weights.set_data_handle(const_cast<void *>(weights));
  lane.destination.set_data_handle(destination);
  lane.scratchpad.set_data_handle(scratch);
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, lane.source.get()},
                                       {DNNL_ARG_WEIGHTS, lane.weights.get()},
                                       {DNNL_ARG_DST, lane.destination.get()},
                                       {DNNL_ARG_SCRATCHPAD, lane.scratchpad.get()}};
  require(dnnl_primitive_execute(primitive_.get(), lane.stream.get(), 4, arguments), "execute a primitive");
}

LibraryCall make_matmul(const Library &library, const dnnl::memory::desc &a,
                        const dnnl::memory::desc &weights, const dnnl::memory::desc &y) {
  dnnl::matmul::primitive_desc desc({a, weights, y}, attributes(), library.engine);
  return LibraryCall(library, dnnl::matmul(desc), a, weights, y, desc.scratchpad_desc());
}

dnnl::memory::desc preferred_weights(const Library &library, const dnnl::memory::desc &a,
                                     const dnnl::memory::desc &y, int64_t n) {
  dnnl::memory::desc any({a.dims()[1], n}, a.data_type(), dnnl::memory::format_tag::any);
  return dnnl::matmul::primitive_desc({a, any, y}, attributes(), library.engine).weights_desc();
}

void reorder(const Library &library, const dnnl::memory::desc &from_desc, const void *from,
             const dnnl::memory::desc &to_desc, void *to) {
  dnnl::memory source(from_desc, library.engine, const_cast<void *>(from));
  dnnl::memory target(to_desc, library.engine, to);
  dnnl::stream stream(library.engine);
  dnnl::reorder(source, target).execute(stream, source, target);
  stream.wait();
}

} // namespace posed::onednn
