#include "Pool.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <set>

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;

namespace {

/// Keeps the first complaint about a file, instead of printing all of them.
class FirstProblem : public DescriptorPool::ErrorCollector {
public:
  explicit FirstProblem(std::string &problem) : problem(problem) {}

  void AddError(const std::string &file, const std::string &element, const google::protobuf::Message *,
                ErrorLocation, const std::string &message) override {
    if (problem.empty()) {
      problem = file + ": " + element + ": " + message;
    }
  }

  void AddWarning(const std::string &, const std::string &, const google::protobuf::Message *, ErrorLocation,
                  const std::string &) override {}

private:
  std::string &problem;
};

} // namespace

bool posed_reflection::add(const uint8_t *data, size_t size, std::string &problem) {
  // The library would print its complaints; they are returned instead.
  google::protobuf::SetLogHandler(nullptr);
  FileDescriptorSet set;
  if (size > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      !set.ParseFromArray(data, static_cast<int>(size))) {
    problem = "a FileDescriptorSet was expected, these " + std::to_string(size) + " bytes are none";
    return false;
  }
  FirstProblem collector(problem);
  for (const FileDescriptorProto &file : set.file()) {
    // A name that comes twice would be taken for the file that is known already.
    if (!files.emplace(file.name(), file.SerializeAsString()).second) {
      problem = file.name() + ": the file is there twice";
      return false;
    }
    if (pool.BuildFileCollectingErrors(file, &collector) == nullptr) {
      if (problem.empty()) {
        problem = file.name() + ": the file contradicts itself";
      }
      return false;
    }
  }
  return true;
}

std::vector<std::string> posed_reflection::services() const {
  std::vector<std::string> names;
  for (const auto &entry : files) {
    const FileDescriptor *file = pool.FindFileByName(entry.first);
    for (int index = 0; file != nullptr && index < file->service_count(); index++) {
      names.push_back(file->service(index)->full_name());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> posed_reflection::file(const std::string &name) const {
  return withImports(pool.FindFileByName(name));
}

std::vector<std::string> posed_reflection::symbol(const std::string &name) const {
  return withImports(pool.FindFileContainingSymbol(name));
}

std::vector<std::string> posed_reflection::extension(const std::string &message, int32_t number) const {
  const Descriptor *type = pool.FindMessageTypeByName(message);
  const FieldDescriptor *field = type == nullptr ? nullptr : pool.FindExtensionByNumber(type, number);
  return withImports(field == nullptr ? nullptr : field->file());
}

bool posed_reflection::extensionNumbers(const std::string &message, std::vector<int32_t> &numbers) const {
  const Descriptor *type = pool.FindMessageTypeByName(message);
  if (type == nullptr) {
    return false;
  }
  std::vector<const FieldDescriptor *> extensions;
  pool.FindAllExtensions(type, &extensions);
  for (const FieldDescriptor *extension : extensions) {
    numbers.push_back(extension->number());
  }
  std::sort(numbers.begin(), numbers.end());
  return true;
}

std::vector<std::string> posed_reflection::withImports(const FileDescriptor *file) const {
  std::vector<std::string> found;
  std::set<const FileDescriptor *> seen;
  std::deque<const FileDescriptor *> left;
  if (file != nullptr) {
    seen.insert(file);
    left.push_back(file);
  }
  while (!left.empty()) {
    const FileDescriptor *next = left.front();
    left.pop_front();
    found.push_back(files.at(next->name()));
    for (int index = 0; index < next->dependency_count(); index++) {
      if (seen.insert(next->dependency(index)).second) {
        left.push_back(next->dependency(index));
      }
    }
  }
  return found;
}
