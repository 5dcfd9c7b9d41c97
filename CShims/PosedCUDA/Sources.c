// The texts of the kernels, as they lie in this folder, for NVRTC.
#include "Sources.h"

static const unsigned char text_of_activate_cu[] = {
#embed "kernels/activate.cu" suffix(, 0)
};
static const unsigned char text_of_attention_cu[] = {
#embed "kernels/attention.cu" suffix(, 0)
};
static const unsigned char text_of_attention_f32_cu[] = {
#embed "kernels/attention_f32.cu" suffix(, 0)
};
static const unsigned char text_of_attention_wide_cu[] = {
#embed "kernels/attention_wide.cu" suffix(, 0)
};
static const unsigned char text_of_combine_cu[] = {
#embed "kernels/combine.cu" suffix(, 0)
};
static const unsigned char text_of_conv2d_cu[] = {
#embed "kernels/conv2d.cu" suffix(, 0)
};
static const unsigned char text_of_copy_cu[] = {
#embed "kernels/copy.cu" suffix(, 0)
};
static const unsigned char text_of_glu_cu[] = {
#embed "kernels/glu.cu" suffix(, 0)
};
static const unsigned char text_of_group_norm_cu[] = {
#embed "kernels/group_norm.cu" suffix(, 0)
};
static const unsigned char text_of_layer_norm_cu[] = {
#embed "kernels/layer_norm.cu" suffix(, 0)
};
static const unsigned char text_of_linear_cu[] = {
#embed "kernels/linear.cu" suffix(, 0)
};
static const unsigned char text_of_quantize_cu[] = {
#embed "kernels/quantize.cu" suffix(, 0)
};
static const unsigned char text_of_attention_cuh[] = {
#embed "kernels/attention.cuh" suffix(, 0)
};
static const unsigned char text_of_device_cuh[] = {
#embed "kernels/device.cuh" suffix(, 0)
};
static const unsigned char text_of_elements_cuh[] = {
#embed "kernels/elements.cuh" suffix(, 0)
};
static const unsigned char text_of_parameters_h[] = {
#embed "kernels/parameters.h" suffix(, 0)
};
static const unsigned char text_of_product_cuh[] = {
#embed "kernels/product.cuh" suffix(, 0)
};

const posed_cuda_source posed_cuda_sources[] = {
    {"activate.cu", (const char *)text_of_activate_cu},
    {"attention.cu", (const char *)text_of_attention_cu},
    {"attention_f32.cu", (const char *)text_of_attention_f32_cu},
    {"attention_wide.cu", (const char *)text_of_attention_wide_cu},
    {"combine.cu", (const char *)text_of_combine_cu},
    {"conv2d.cu", (const char *)text_of_conv2d_cu},
    {"copy.cu", (const char *)text_of_copy_cu},
    {"glu.cu", (const char *)text_of_glu_cu},
    {"group_norm.cu", (const char *)text_of_group_norm_cu},
    {"layer_norm.cu", (const char *)text_of_layer_norm_cu},
    {"linear.cu", (const char *)text_of_linear_cu},
    {"quantize.cu", (const char *)text_of_quantize_cu},
    {"attention.cuh", (const char *)text_of_attention_cuh},
    {"device.cuh", (const char *)text_of_device_cuh},
    {"elements.cuh", (const char *)text_of_elements_cuh},
    {"parameters.h", (const char *)text_of_parameters_h},
    {"product.cuh", (const char *)text_of_product_cuh},
};

const int posed_cuda_source_count = (int)(sizeof posed_cuda_sources / sizeof *posed_cuda_sources);
