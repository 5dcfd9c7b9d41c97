// The two transforms of Winograd's F(2×2, 3×3): V = Bᵀ d B of a 4×4 patch of pixels, and Y = Aᵀ M A of
// a 4×4 patch of products to 2×2 pixels. Channels lie in the lanes.

/// `pixels`: the 16 pixels of the patch, row by row, [channels] each, channels a multiple of W; v: place
/// i of the transformed patch at v + i * v_step.
static void winograd_input(const float *const *pixels, int64_t channels, float *v, int64_t v_step) {
  for (int64_t c = 0; c < channels; c += W) {
    V t[4][4];
    for (int j = 0; j < 4; ++j) {
      V d0 = load(pixels[j] + c), d1 = load(pixels[4 + j] + c);
      V d2 = load(pixels[8 + j] + c), d3 = load(pixels[12 + j] + c);
      t[0][j] = d0 - d2;
      t[1][j] = d1 + d2;
      t[2][j] = d2 - d1;
      t[3][j] = d1 - d3;
    }
    for (int i = 0; i < 4; ++i) {
      float *to = v + 4 * i * v_step + c;
      store(to, t[i][0] - t[i][2]);
      store(to + v_step, t[i][1] + t[i][2]);
      store(to + 2 * v_step, t[i][2] - t[i][1]);
      store(to + 3 * v_step, t[i][1] - t[i][3]);
    }
  }
}

/// m: place i at m + i * m_step, [columns] each, columns a multiple of W; y: 4 pixels, y_step apart.
static void winograd_output(const float *m, int64_t m_step, int64_t columns, float *y, int64_t y_step) {
  for (int64_t c = 0; c < columns; c += W) {
    V t[2][4];
    for (int j = 0; j < 4; ++j) {
      const float *from = m + j * m_step + c;
      V m0 = load(from), m1 = load(from + 4 * m_step);
      V m2 = load(from + 8 * m_step), m3 = load(from + 12 * m_step);
      t[0][j] = m0 + m1 + m2;
      t[1][j] = m1 - m2 - m3;
    }
    for (int i = 0; i < 2; ++i) {
      store(y + 2 * i * y_step + c, t[i][0] + t[i][1] + t[i][2]);
      store(y + (2 * i + 1) * y_step + c, t[i][1] - t[i][2] - t[i][3]);
    }
  }
}
