// The backend as a host sees it, in a few words, for scenarios that a conformance suite cannot play: what
// happens when the device runs out of memory, fails, or disappears.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "posed_backend.h"

namespace scenarios {

/// A scenario that did not go as it must.
struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws Failed unless `holds`.
void expect(bool holds, const std::string &what);

/// The plugin's table, and the counts of the driver's stand-in.
struct Plugin {
  const posed_backend *table = nullptr;
  uint64_t (*calls)(const char *name) = nullptr;

  explicit Plugin(const std::string &path);
};

/// A call that must go well, or end with a status.
void well(const std::function<posed_status(posed_error *)> &call, const char *what);
/// Returns the sentence.
std::string refused(posed_status status, const std::function<posed_status(posed_error *)> &call,
                    const char *what);

/// A device with one stream; everything else is the scenario's to give back.
class Device {
public:
  explicit Device(const Plugin &plugin, posed_device_options options = {});
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  const posed_backend &table() const { return *plugin.table; }
  posed_buffer *buffer(uint64_t bytes) const;
  void destroy(posed_buffer *buffer) const { table().buffer_destroy(device, buffer); }
  posed_stream *another_stream() const;
  void upload(posed_buffer *to, const std::vector<float> &values, posed_stream *on = nullptr) const;
  /// Waits for the stream.
  std::vector<float> download(posed_buffer *from, size_t count, posed_stream *on = nullptr) const;
  void synchronize() const;
  uint64_t used() const;

  const Plugin &plugin;
  posed_device *device = nullptr;
  posed_stream *stream = nullptr;
};

/// A dense float32 vector in a buffer.
posed_tensor vector(posed_buffer *buffer, size_t count);
/// y = factor · x + bias
posed_combine_desc scaled(posed_buffer *x, posed_buffer *y, size_t count, float factor, float bias);

/// Names and what they play; a scenario throws Failed.
using Scenario = void (*)(const Plugin &);
void add_memory(std::map<std::string, Scenario> &all);
void add_failures(std::map<std::string, Scenario> &all);
void add_kernels(std::map<std::string, Scenario> &all);

} // namespace scenarios
