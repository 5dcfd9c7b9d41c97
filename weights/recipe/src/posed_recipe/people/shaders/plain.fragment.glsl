// One colour: lashes, glasses, furniture.
uniform vec3 color;
void main() {
    Surface s = surface_of(color);
    s.gloss = .06; s.shine = 30.;
    finish(s);
}
