// Compiled kernels on disk, several devices, and how much is launched.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "Bench.h"

namespace scenarios {
namespace {

constexpr size_t count = 64, bytes = count * 4;

/// Opens a device with a cache in `folder` and checks one operation; how often the compiler was called.
uint64_t compiled(const Plugin &plugin, const std::string &folder) {
  const uint64_t before = plugin.calls("nvrtcCompileProgram");
  posed_device_options options = {};
  options.cache_folder = folder.c_str();
  Device device(plugin, options);
  posed_buffer *x = device.buffer(bytes), *y = device.buffer(bytes);
  device.upload(x, std::vector<float>(count, 2));
  const posed_combine_desc desc = scaled(x, y, count, 3, 1);
  well([&](posed_error *e) { return device.table().combine(device.stream, &desc, e); }, "combine");
  expect(device.download(y, count)[0] == 7, "a kernel from the cache is wrong");
  device.destroy(x);
  device.destroy(y);
  return plugin.calls("nvrtcCompileProgram") - before;
}

std::string only_file(const std::string &folder) {
  std::string found;
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    expect(found.empty(), "there is more than one file in the cache");
    found = entry.path();
  }
  expect(found.ends_with(".kernel"), "there is no entry in the cache");
  using std::filesystem::perms;
  auto others_may = [](const std::string &path) {
    return (std::filesystem::status(path).permissions() & (perms::group_all | perms::others_all)) != perms{};
  };
  expect(!others_may(folder) && !others_may(found), "others may read or change the cache");
  return found;
}

/// A kernel is compiled once; what is broken on disk is compiled again and put right.
void cache(const Plugin &plugin) {
  const char *own = getenv("XDG_CACHE_HOME");
  expect(own != nullptr, "XDG_CACHE_HOME is not set");
  const std::string folder = std::string(own) + "/of-a-scenario";
  expect(compiled(plugin, folder) == 1, "the first use did not compile");
  expect(compiled(plugin, folder) == 0, "the second use compiled again");
  const std::string file = only_file(folder);
  std::ifstream stream(file, std::ios::binary);
  const std::string sound{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  std::vector<std::string> broken = {"", "posed kernel 1\n", sound.substr(0, sound.size() - 1),
                                     sound.substr(0, sound.size() / 2), sound + "x"};
  for (size_t place : {size_t(0), size_t(20), sound.find('\n', 20) + 3, sound.size() / 2, sound.size() - 1}) {
    broken.push_back(sound);
    broken.back()[place] ^= 0x10;
  }
  for (const std::string &content : broken) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
    expect(compiled(plugin, folder) == 1, "a broken entry was used");
    expect(compiled(plugin, folder) == 0, "a broken entry was not replaced");
  }
  expect(compiled(plugin, "/proc/no/such/folder") == 1, "a cache that cannot be written to is an error");
}

/// Buffers of one device are refused by the other, and both compute (POSED_STANDIN_DEVICES).
void devices(const Plugin &plugin) {
  Device first(plugin);
  posed_device_options options = {};
  options.index = 1;
  Device second(plugin, options);
  for (const Device *device : {&first, &second}) {
    posed_buffer *x = device->buffer(bytes), *y = device->buffer(bytes);
    posed_buffer *foreign = (device == &first ? second : first).buffer(bytes);
    device->upload(x, std::vector<float>(count, 1));
    const posed_combine_desc wrong = scaled(foreign, y, count, 1, 0), right = scaled(x, y, count, 1, 1);
    std::string sentence = refused(
        POSED_INVALID_ARGUMENT,
        [&](posed_error *e) { return device->table().combine(device->stream, &wrong, e); },
        "a buffer of another device");
    expect(sentence.find("another device") != std::string::npos, "the sentence does not say it: " + sentence);
    well([&](posed_error *e) { return device->table().combine(device->stream, &right, e); }, "combine");
    expect(device->download(y, count)[0] == 2, "a device computes wrongly");
    device->destroy(x);
    device->destroy(y);
    (device == &first ? second : first).destroy(foreign);
  }
}

} // namespace

void add_kernels(std::map<std::string, Scenario> &all) {
  all["cache"] = cache;
  all["devices"] = devices;
}

} // namespace scenarios
