// The descriptors of protos/, which `make protos` writes beside this file.
#include "posed_reflection.h"

#pragma clang diagnostic ignored "-Wc23-extensions"
static const uint8_t descriptors[] = {
#embed "descriptors.binpb"
};

const uint8_t *posed_reflection_embedded(size_t *size) {
  *size = sizeof(descriptors);
  return descriptors;
}
