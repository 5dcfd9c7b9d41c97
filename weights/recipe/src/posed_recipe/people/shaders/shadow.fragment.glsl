in vec2 inside;
void main() { if (inside.x < 0.) discard; }
