#include "Bench.h"

#include <dlfcn.h>

namespace scenarios {

void expect(bool holds, const std::string &what) {
  if (!holds) throw Failed(what);
}

Plugin::Plugin(const std::string &path) {
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  expect(library != nullptr, path + " cannot be opened");
  auto entry = reinterpret_cast<posed_backend_entry_fn>(dlsym(library, "posed_backend_entry"));
  expect(entry != nullptr, path + " has no entry");
  table = entry(POSED_BACKEND_ABI);
  const char *folder = getenv("POSED_CUDA_PATH");
  expect(folder != nullptr, "POSED_CUDA_PATH is not set");
  void *driver = dlopen((std::string(folder) + "/libcuda.so.1").c_str(), RTLD_NOW | RTLD_LOCAL);
  expect(driver != nullptr, "there is no driver");
  calls = reinterpret_cast<uint64_t (*)(const char *)>(dlsym(driver, "posed_standin_calls"));
  expect(calls != nullptr, "the driver is not the stand-in");
}

void well(const std::function<posed_status(posed_error *)> &call, const char *what) {
  posed_error error = {};
  const posed_status status = call(&error);
  expect(status == POSED_OK, std::string(what) + ": " + error.message);
}

std::string refused(posed_status wanted, const std::function<posed_status(posed_error *)> &call,
                    const char *what) {
  posed_error error = {};
  const posed_status status = call(&error);
  expect(status == wanted, std::string(what) + " gave status " + std::to_string(status) + ", expected " +
                               std::to_string(wanted) + ": " + error.message);
  expect(error.message[0] != 0, std::string(what) + " failed without a message");
  return error.message;
}

Device::Device(const Plugin &plugin, posed_device_options options) : plugin(plugin) {
  well([&](posed_error *e) { return table().device_open(&options, &device, e); }, "device_open");
  stream = another_stream();
}

Device::~Device() {
  table().stream_destroy(stream);
  table().device_close(device);
}

posed_buffer *Device::buffer(uint64_t bytes) const {
  posed_buffer *buffer = nullptr;
  well([&](posed_error *e) { return table().buffer_create(device, bytes, &buffer, e); }, "buffer_create");
  return buffer;
}

posed_stream *Device::another_stream() const {
  posed_stream *made = nullptr;
  well([&](posed_error *e) { return table().stream_create(device, &made, e); }, "stream_create");
  return made;
}

void Device::upload(posed_buffer *to, const std::vector<float> &values, posed_stream *on) const {
  std::vector<float> passing = values; // gone, and overwritten, before the device is asked to hurry
  well(
      [&](posed_error *e) {
        return table().upload(on == nullptr ? stream : on, to, 0, passing.data(), passing.size() * 4, e);
      },
      "upload");
  passing.assign(passing.size(), -12345.0f);
}

std::vector<float> Device::download(posed_buffer *from, size_t count, posed_stream *on) const {
  posed_stream *used = on == nullptr ? stream : on;
  std::vector<float> values(count);
  well([&](posed_error *e) { return table().download(used, values.data(), from, 0, count * 4, e); },
       "download");
  well([&](posed_error *e) { return table().stream_synchronize(used, e); }, "stream_synchronize");
  return values;
}

void Device::synchronize() const {
  well([&](posed_error *e) { return table().stream_synchronize(stream, e); }, "stream_synchronize");
}

uint64_t Device::used() const {
  posed_device_info info = {};
  well([&](posed_error *e) { return table().device_info(device, &info, e); }, "device_info");
  return info.memory_used;
}

posed_tensor vector(posed_buffer *buffer, size_t count) {
  posed_tensor tensor = {};
  tensor.buffer = buffer;
  tensor.dtype = POSED_F32;
  tensor.rank = 1;
  tensor.shape[0] = static_cast<int64_t>(count);
  tensor.stride[0] = 1;
  return tensor;
}

posed_combine_desc scaled(posed_buffer *x, posed_buffer *y, size_t count, float factor, float bias) {
  posed_combine_desc desc = {};
  desc.y = vector(y, count);
  desc.count = 1;
  desc.x[0] = vector(x, count);
  desc.coefficient[0] = factor;
  desc.bias = bias;
  return desc;
}

} // namespace scenarios
