const Primitives &table() {
  static const Primitives value = {convert,  activate,   glu,          combine,    quantize,
                                   epilogue, layer_norm, channel_sums, scale_shift};
  return value;
}
