// The texts of the kernels and of what they include, embedded in the plugin.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

typedef struct posed_cuda_source {
  const char *name; // "linear.cu"; other endings are includes
  const char *text; // zero-terminated
} posed_cuda_source;

extern const posed_cuda_source posed_cuda_sources[];
extern const int posed_cuda_source_count;

#ifdef __cplusplus
}
#endif
