const Primitives &table() {
  static const Primitives value = {
      .convert = convert,
      .activate = activate,
      .glu = glu,
      .combine = combine,
      .quantize = quantize,
      .epilogue = epilogue,
      .layer_norm = layer_norm,
      .channel_sums = channel_sums,
      .scale_shift = scale_shift,
      .panel = NR,
      .product = product<true>,
      .product_transposed = product<false>,
      .softmax_block = softmax_block,
      .winograd_input = winograd_input,
      .winograd_output = winograd_output,
  };
  return value;
}
