// The texts that make a kernel run on the host, embedded in the stand-in.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

extern const unsigned char standin_device_text[], standin_lanes_text[]; // zero-terminated

#ifdef __cplusplus
}
#endif
