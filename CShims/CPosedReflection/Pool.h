// A pool of descriptors, and what it answers with. Functions here may throw; those of the interface catch.
#pragma once

#include "posed_reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The answer to a question.
struct posed_reflection_reply {
  /// Files, or names of services.
  std::vector<std::string> strings;
  /// Numbers of extensions.
  std::vector<int32_t> numbers;
};

/// A pool of descriptors, and the files that it was made of as they were written.
struct posed_reflection {
public:
  /// Adds the files of a set. On failure `problem` says what is wrong, and the pool is of no use.
  bool add(const uint8_t *data, size_t size, std::string &problem);

  /// The full names of all services, sorted.
  std::vector<std::string> services() const;

  /// A file and all that it imports; nothing for a file that there is not.
  std::vector<std::string> file(const std::string &name) const;

  /// The file that declares a symbol, and all that it imports; nothing for a symbol that there is not.
  std::vector<std::string> symbol(const std::string &name) const;

  /// The file that declares an extension, and all that it imports; nothing for one that there is not.
  std::vector<std::string> extension(const std::string &message, int32_t number) const;

  /// The numbers of a message's extensions, ascending. False for a message that there is not.
  bool extensionNumbers(const std::string &message, std::vector<int32_t> &numbers) const;

private:
  std::vector<std::string> withImports(const google::protobuf::FileDescriptor *file) const;

  google::protobuf::DescriptorPool pool;
  /// As they came, with their comments, which descriptors do not keep.
  std::map<std::string, std::string> files;
};
