// Order, ownership and memory: work is done late, and nothing that it needs may be gone by then.
#include <cstdlib>
#include <thread>

#include "Bench.h"

namespace scenarios {
namespace {

constexpr size_t count = 1000, bytes = count * 4;

void run(const Device &device, const posed_combine_desc &desc, posed_stream *on = nullptr) {
  well([&](posed_error *e) { return device.table().combine(on == nullptr ? device.stream : on, &desc, e); },
       "combine");
}

void expect_all(const std::vector<float> &values, float wanted, const char *what) {
  for (float value : values) {
    expect(value == wanted,
           std::string(what) + ": expected " + std::to_string(wanted) + ", got " + std::to_string(value));
  }
}

/// Uploads, operations and downloads of one stream take effect in order, though the host's memory changes.
void order(const Plugin &plugin) {
  Device device(plugin);
  posed_buffer *x = device.buffer(bytes), *y = device.buffer(bytes);
  for (int i = 0; i < 100; ++i) {
    device.upload(x, std::vector<float>(count, float(i)));
    run(device, scaled(x, y, count, 2, i == 0 ? 0.0f : 1.0f));
  }
  expect_all(device.download(y, count), 199, "the last of a hundred");
  device.destroy(x);
  device.destroy(y);
}

void order_large(const Plugin &plugin) {
  Device device(plugin);
  const size_t large = 3 << 18; // three times the pinned memory of a stream
  posed_buffer *x = device.buffer(large * 4), *y = device.buffer(large * 4);
  std::vector<float> values(large);
  for (size_t i = 0; i < large; ++i) values[i] = float(i % 8191);
  device.upload(x, values);
  run(device, scaled(x, y, large, 1, 0));
  expect(device.download(y, large) == values, "a large upload has changed on its way");
  device.destroy(x);
  device.destroy(y);
}

/// A buffer's memory goes to nobody else while work that uses it is under way, on whatever stream.
void ownership(const Plugin &plugin) {
  Device device(plugin);
  posed_stream *other = device.another_stream();
  posed_buffer *y = device.buffer(bytes);
  for (int i = 0; i < 20; ++i) {
    posed_buffer *x = device.buffer(bytes);
    device.upload(x, std::vector<float>(count, float(i)));
    run(device, scaled(x, y, count, 1, 0.5f));
    device.destroy(x);
    posed_buffer *next = device.buffer(bytes);
    device.upload(next, std::vector<float>(count, -1), other);
    (void)device.download(next, count, other);
    device.destroy(next);
    expect_all(device.download(y, count), float(i) + 0.5f, "a sum whose operand was given back");
  }
  const uint64_t made = plugin.calls("cuMemAlloc_v2");
  for (int i = 0; i < 50; ++i) device.destroy(device.buffer(bytes));
  expect(plugin.calls("cuMemAlloc_v2") <= made + 1, "memory is not used again");
  device.destroy(y);
  device.table().stream_destroy(other);
}

/// A graph, and the buffers it worked on, may go while it is under way.
void graph_ownership(const Plugin &plugin) {
  Device device(plugin);
  posed_buffer *x = device.buffer(bytes), *y = device.buffer(bytes), *z = device.buffer(bytes);
  device.upload(x, std::vector<float>(count, 3));
  well([&](posed_error *e) { return device.table().capture_begin(device.stream, e); }, "capture_begin");
  run(device, scaled(x, y, count, 2, 0));
  run(device, scaled(y, z, count, 1, 1));
  posed_graph *graph = nullptr;
  well([&](posed_error *e) { return device.table().capture_end(device.stream, &graph, e); }, "capture_end");
  const uint64_t made = plugin.calls("cuMemAlloc_v2") + plugin.calls("cuMemHostAlloc");
  for (int i = 0; i < 3; ++i) {
    well([&](posed_error *e) { return device.table().graph_launch(device.stream, graph, e); },
         "graph_launch");
  }
  expect(plugin.calls("cuMemAlloc_v2") + plugin.calls("cuMemHostAlloc") == made, "a launch has allocated");
  device.table().graph_destroy(graph);
  device.destroy(x);
  device.destroy(y);
  posed_buffer *other = device.buffer(bytes);
  device.upload(other, std::vector<float>(count, 100));
  expect_all(device.download(z, count), 7, "a graph that was destroyed while under way");
  device.destroy(z);
  device.destroy(other);
}

/// Where the device is full, one allocation fails and everything else goes on (POSED_STANDIN_MEMORY).
void full(const Plugin &plugin) {
  Device device(plugin);
  std::vector<posed_buffer *> buffers;
  const uint64_t large = 8 << 20;
  posed_buffer *x = device.buffer(bytes), *y = device.buffer(bytes);
  device.upload(x, std::vector<float>(count, 2));
  for (;;) {
    posed_buffer *buffer = nullptr;
    posed_error error = {};
    posed_status status = device.table().buffer_create(device.device, large, &buffer, &error);
    if (status == POSED_OK) {
      buffers.push_back(buffer);
      expect(buffers.size() < 100, "memory does not end");
      continue;
    }
    expect(status == POSED_OUT_OF_MEMORY && error.message[0] != 0, "a full device gave another status");
    break;
  }
  expect(buffers.size() >= 4, "the device was full too soon");
  run(device, scaled(x, y, count, 3, 0));
  expect_all(device.download(y, count), 6, "work on a full device");
  device.destroy(
      buffers.back()); // small pieces of it cannot be had, since it is kept whole until it is needed
  buffers.pop_back();
  posed_buffer *other = device.buffer(large / 2);
  device.destroy(other);
  for (posed_buffer *buffer : buffers) device.destroy(buffer);
  buffers.clear();
  device.destroy(device.buffer(4 * large)); // four given back make one of their size
  device.destroy(x);
  device.destroy(y);
}

/// A limit that is reached waits for memory that has been given back and is still in use.
void limit(const Plugin &plugin) {
  posed_device_options options = {};
  options.memory_limit = 4 << 20;
  Device device(plugin, options);
  const size_t most = 500'000; // 2 MB
  posed_buffer *y = device.buffer(bytes);
  for (int i = 0; i < 8; ++i) {
    posed_buffer *x = device.buffer(most * 4);
    device.upload(x, std::vector<float>(most, float(i)));
    run(device, scaled(x, y, count, 1, 0));
    device.destroy(x);
    x = device.buffer(most * 4 - 200'000 * (i % 2)); // of another size: the kept one must be given back
    expect(device.used() <= options.memory_limit, "more is in use than the limit allows");
    device.destroy(x);
  }
  expect_all(device.download(y, count), 7, "work under a limit");
  device.destroy(y);
}

/// The limit that the environment sets holds for devices that are opened without one.
void named_limit(const Plugin &plugin) {
  setenv("POSED_CUDA_MEMORY", "3", 1);
  {
    Device device(plugin);
    posed_buffer *buffer = device.buffer(2 << 20), *more = nullptr;
    refused(
        POSED_OUT_OF_MEMORY,
        [&](posed_error *e) { return device.table().buffer_create(device.device, 2 << 20, &more, e); },
        "more than the named limit");
    expect(more == nullptr, "a refused allocation gave a buffer");
    device.destroy(buffer);
  }
  for (const char *wrong : {"", "3GB", "-"}) {
    setenv("POSED_CUDA_MEMORY", wrong, 1);
    posed_device_options options = {};
    posed_device *device = nullptr;
    const std::string sentence = refused(
        POSED_INVALID_ARGUMENT,
        [&](posed_error *e) { return plugin.table->device_open(&options, &device, e); },
        "a limit that is no number");
    expect(sentence.find("POSED_CUDA_MEMORY") != std::string::npos, "the sentence does not say which");
  }
}

/// Streams, buffers and graphs made and destroyed by several threads at once.
void threads(const Plugin &plugin) {
  Device device(plugin);
  std::vector<std::string> problems(4);
  std::vector<std::thread> crew;
  for (size_t id = 0; id < problems.size(); ++id) {
    crew.emplace_back([&, id] {
      try {
        posed_stream *stream = device.another_stream();
        for (int round = 0; round < 12; ++round) {
          const float start = float(id * 100) + float(round);
          posed_buffer *x = device.buffer(bytes + 512 * id), *y = device.buffer(bytes);
          device.upload(x, std::vector<float>(count, start), stream);
          posed_graph *graph = nullptr;
          well([&](posed_error *e) { return device.table().capture_begin(stream, e); }, "capture_begin");
          run(device, scaled(x, y, count, 2, 0), stream);
          well([&](posed_error *e) { return device.table().capture_end(stream, &graph, e); }, "capture_end");
          well([&](posed_error *e) { return device.table().graph_launch(stream, graph, e); }, "graph_launch");
          device.destroy(x);
          device.table().graph_destroy(graph);
          expect_all(device.download(y, count, stream), 2 * start, "a thread's work");
          device.destroy(y);
        }
        device.table().stream_destroy(stream);
      } catch (const Failed &failed) {
        problems[id] = failed.what();
      }
    });
  }
  for (std::thread &thread : crew) thread.join();
  for (const std::string &problem : problems) expect(problem.empty(), problem);
}

} // namespace

void add_memory(std::map<std::string, Scenario> &all) {
  all["order"] = order;
  all["order-large"] = order_large;
  all["ownership"] = ownership;
  all["graph-ownership"] = graph_ownership;
  all["full"] = full;
  all["limit"] = limit;
  all["named-limit"] = named_limit;
  all["threads"] = threads;
}

} // namespace scenarios
