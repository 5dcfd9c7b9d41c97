// A device that fails. POSED_STANDIN_FAIL says when; the scenarios' names say what must come of it.
#include <algorithm>
#include <iterator>

#include "Bench.h"

namespace scenarios {
namespace {

constexpr size_t count = 256, bytes = count * 4;

posed_status combine(const Device &device, const posed_combine_desc &desc, posed_error *error) {
  return device.table().combine(device.stream, &desc, error);
}

/// A dense tensor [1, tokens, width] of float32.
posed_tensor rows(posed_buffer *buffer, int64_t tokens, int64_t width) {
  posed_tensor tensor = {};
  tensor.buffer = buffer;
  tensor.dtype = POSED_F32;
  tensor.rank = 3;
  const int64_t shape[] = {1, tokens, width}, stride[] = {tokens * width, width, 1};
  std::copy(std::begin(shape), std::end(shape), tensor.shape);
  std::copy(std::begin(stride), std::end(stride), tensor.stride);
  return tensor;
}

/// A kernel fails after its call has returned: whoever waits hears of it, and so does every call after that.
/// What was made can be given back, and the device opened again.
void lost(const Plugin &plugin) {
  {
    Device device(plugin);
    const posed_backend &table = device.table();
    posed_buffer *x = device.buffer(bytes), *y = device.buffer(bytes);
    posed_event *event = nullptr;
    well([&](posed_error *e) { return table.event_create(device.device, &event, e); }, "event_create");
    device.upload(x, std::vector<float>(count, 1));
    const posed_combine_desc desc = scaled(x, y, count, 2, 0);
    well([&](posed_error *e) { return table.capture_begin(device.stream, e); }, "capture_begin");
    well([&](posed_error *e) { return combine(device, desc, e); }, "combine");
    posed_graph *graph = nullptr;
    well([&](posed_error *e) { return table.capture_end(device.stream, &graph, e); }, "capture_end");
    for (int i = 0; i < 3; ++i) well([&](posed_error *e) { return combine(device, desc, e); }, "combine");
    refused(
        POSED_DEVICE_LOST, [&](posed_error *e) { return table.stream_synchronize(device.stream, e); },
        "waiting for a kernel that failed");
    std::string sentence = refused(
        POSED_DEVICE_LOST, [&](posed_error *e) { return combine(device, desc, e); }, "an operation");
    expect(sentence.find("is lost") != std::string::npos, "the sentence does not say it: " + sentence);
    float value = 0;
    posed_buffer *more = nullptr;
    refused(
        POSED_DEVICE_LOST, [&](posed_error *e) { return table.upload(device.stream, x, 0, &value, 4, e); },
        "an upload");
    refused(
        POSED_DEVICE_LOST, [&](posed_error *e) { return table.download(device.stream, &value, x, 0, 4, e); },
        "a download");
    refused(
        POSED_DEVICE_LOST, [&](posed_error *e) { return table.buffer_create(device.device, 64, &more, e); },
        "an allocation");
    refused(
        POSED_DEVICE_LOST, [&](posed_error *e) { return table.graph_launch(device.stream, graph, e); },
        "a launch");
    refused(
        POSED_DEVICE_LOST, [&](posed_error *e) { return table.event_synchronize(event, e); }, "an event");
    expect(more == nullptr, "a failed allocation gave a buffer");
    posed_device_info info = {};
    well([&](posed_error *e) { return table.device_info(device.device, &info, e); }, "device_info");
    table.event_destroy(event);
    table.graph_destroy(graph);
    device.destroy(x);
    device.destroy(y);
  }
  Device again(plugin);
  posed_buffer *x = again.buffer(bytes), *y = again.buffer(bytes);
  again.upload(x, std::vector<float>(count, 4));
  const posed_combine_desc desc = scaled(x, y, count, 2, 0);
  well([&](posed_error *e) { return combine(again, desc, e); }, "combine on the device opened again");
  expect(again.download(y, count)[0] == 8, "the device opened again computes wrongly");
  again.destroy(x);
  again.destroy(y);
}

/// The driver has no memory for once: what is kept goes back to it, and the second try succeeds or the call
/// alone fails.
void no_memory_once(const Plugin &plugin) {
  Device device(plugin);
  posed_buffer *buffer = nullptr;
  posed_error error = {};
  posed_status status = device.table().buffer_create(device.device, bytes, &buffer, &error);
  expect(status == POSED_OK || status == POSED_OUT_OF_MEMORY, "another status");
  if (status != POSED_OK) buffer = device.buffer(bytes);
  device.upload(buffer, std::vector<float>(count, 1));
  expect(device.download(buffer, count)[0] == 1, "a buffer after that is wrong");
  device.destroy(buffer);
}

/// The driver has no pinned memory for an upload: the call fails, and the next one succeeds.
void no_pinned_memory(const Plugin &plugin) {
  Device device(plugin);
  posed_buffer *buffer = device.buffer(bytes);
  const std::vector<float> values(count, 9);
  refused(
      POSED_OUT_OF_MEMORY,
      [&](posed_error *e) {
        return device.table().upload(device.stream, buffer, 0, values.data(), bytes, e);
      },
      "an upload without pinned memory");
  device.upload(buffer, values);
  expect(device.download(buffer, count) == values, "an upload after that is wrong");
  device.destroy(buffer);
}

/// There is no pinned memory for a weight's second part, while its first is on its way: what is made of the
/// weight's memory then keeps its own bytes.
void no_pinned_memory_for_weight(const Plugin &plugin) {
  Device device(plugin);
  constexpr int64_t side = 1024; // 4 MiB, four times a part
  const std::vector<float> matrix(side * side, 3), values(side * side, 9);
  posed_linear_weight_desc desc = {};
  desc.data = matrix.data();
  desc.dtype = desc.compute = POSED_F32;
  desc.out = desc.in = side;
  posed_weight *weight = nullptr;
  auto create = [&](posed_error *e) {
    return device.table().weight_create_linear(device.device, &desc, &weight, e);
  };
  refused(POSED_OUT_OF_MEMORY, create, "a weight without pinned memory");
  expect(weight == nullptr, "a refusal gave a weight");
  posed_buffer *buffer = device.buffer(values.size() * 4);
  device.upload(buffer, values);
  device.synchronize();
  well(create, "a weight after that");
  expect(device.download(buffer, values.size()) == values, "a weight that was refused has written");
  device.table().weight_destroy(device.device, weight);
  device.destroy(buffer);
}

/// The driver has no room for a graph or a kernel until the pool gives back what it keeps.
void room_for_others(const Plugin &plugin) {
  Device device(plugin);
  const posed_backend &table = device.table();
  posed_buffer *x = device.buffer(bytes), *y = device.buffer(bytes);
  device.destroy(device.buffer(1 << 20));
  device.upload(x, std::vector<float>(count, 1));
  const posed_combine_desc desc = scaled(x, y, count, 5, 0);
  const uint64_t freed = plugin.calls("cuMemFree_v2");
  posed_graph *graph = nullptr;
  well([&](posed_error *e) { return table.capture_begin(device.stream, e); }, "capture_begin");
  well([&](posed_error *e) { return combine(device, desc, e); }, "combine");
  well([&](posed_error *e) { return table.capture_end(device.stream, &graph, e); }, "capture_end");
  expect(plugin.calls("cuMemFree_v2") > freed, "the pool has kept what it has");
  well([&](posed_error *e) { return table.graph_launch(device.stream, graph, e); }, "graph_launch");
  expect(device.download(y, count)[0] == 5, "the graph is wrong");
  table.graph_destroy(graph);
  device.destroy(x);
  device.destroy(y);
}

/// cuBLASLt fails since the device is lost: its status does not say so, the driver does.
void product_lost(const Plugin &plugin) {
  Device device(plugin);
  constexpr int64_t side = 64;
  const std::vector<float> matrix(side * side, 1);
  posed_linear_weight_desc made = {};
  made.data = matrix.data();
  made.dtype = made.compute = POSED_F32;
  made.out = made.in = side;
  posed_weight *weight = nullptr;
  well([&](posed_error *e) { return device.table().weight_create_linear(device.device, &made, &weight, e); },
       "weight_create_linear");
  posed_buffer *x = device.buffer(matrix.size() * 4), *y = device.buffer(matrix.size() * 4);
  device.upload(x, matrix);
  posed_linear_desc desc = {};
  desc.x = rows(x, side, side);
  desc.y = rows(y, side, side);
  desc.weight = weight;
  auto multiply = [&](posed_error *e) { return device.table().linear(device.stream, &desc, e); };
  refused(POSED_DEVICE_LOST, multiply, "a product on a device that is lost");
  const std::string sentence = refused(POSED_DEVICE_LOST, multiply, "a product after that");
  expect(sentence.find("is lost") != std::string::npos, "the sentence does not say it: " + sentence);
  device.table().weight_destroy(device.device, weight);
  device.destroy(x);
  device.destroy(y);
}

/// A call of the driver fails while a graph is made: capture_end says so, and the stream works on.
void capture_fails(const Plugin &plugin) {
  Device device(plugin);
  const posed_backend &table = device.table();
  posed_buffer *x = device.buffer(bytes), *y = device.buffer(bytes);
  device.upload(x, std::vector<float>(count, 1));
  const posed_combine_desc desc = scaled(x, y, count, 5, 0);
  posed_graph *graph = nullptr;
  for (posed_status wanted : {POSED_INTERNAL, POSED_OK}) {
    well([&](posed_error *e) { return table.capture_begin(device.stream, e); }, "capture_begin");
    well([&](posed_error *e) { return combine(device, desc, e); }, "combine");
    auto end = [&](posed_error *e) { return table.capture_end(device.stream, &graph, e); };
    if (wanted == POSED_OK) {
      well(end, "capture_end");
    } else {
      refused(wanted, end, "capture_end");
      expect(graph == nullptr, "capture_end failed and gave a graph");
    }
  }
  well([&](posed_error *e) { return table.graph_launch(device.stream, graph, e); }, "graph_launch");
  expect(device.download(y, count)[0] == 5, "the graph made after that is wrong");
  table.graph_destroy(graph);
  device.destroy(x);
  device.destroy(y);
}

/// A failure while recording, here of the compiler, ends the recording with its status and its sentence.
void compiler_fails(const Plugin &plugin) {
  Device device(plugin);
  const posed_backend &table = device.table();
  posed_buffer *x = device.buffer(bytes), *y = device.buffer(bytes);
  device.upload(x, std::vector<float>(count, 1));
  const posed_combine_desc desc = scaled(x, y, count, 5, 0);
  well([&](posed_error *e) { return table.capture_begin(device.stream, e); }, "capture_begin");
  std::string sentence = refused(
      POSED_INTERNAL, [&](posed_error *e) { return combine(device, desc, e); }, "combine");
  expect(sentence.find("could not compile combine.cu") != std::string::npos &&
             sentence.find("as planned") != std::string::npos,
         "the sentence does not say why: " + sentence);
  posed_graph *graph = nullptr;
  refused(
      POSED_INTERNAL, [&](posed_error *e) { return table.capture_end(device.stream, &graph, e); },
      "capture_end");
  well([&](posed_error *e) { return combine(device, desc, e); }, "combine after that");
  expect(device.download(y, count)[0] == 5, "combine after that is wrong");
  device.destroy(x);
  device.destroy(y);
}

} // namespace

void add_failures(std::map<std::string, Scenario> &all) {
  all["lost"] = lost;
  all["no-memory-once"] = no_memory_once;
  all["no-pinned-memory"] = no_pinned_memory;
  all["no-pinned-memory-for-weight"] = no_pinned_memory_for_weight;
  all["room-for-others"] = room_for_others;
  all["product-lost"] = product_lost;
  all["capture-fails"] = capture_fails;
  all["compiler-fails"] = compiler_fails;
}

} // namespace scenarios
