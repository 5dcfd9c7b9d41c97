// Short hair: shells of the scalp, each sparser than the one below. hair_dark.w 2 makes tight curls.
void main() {
    if (inside.x < .10 * layer) discard;
    float seed = marks.y;
    bool curls = hair_dark.w > 1.5;
    float grain = noise((curls ? at * 7.5 : at * vec3(16., 7., 16.)) + seed);
    if (layer > .12 && grain < layer * layer * (curls ? .62 : .70)) discard;
    float strand = noise(vec3(at.x * 9., at.y * 1.8, at.z * 4.) + seed);
    Surface s = surface_of(mix(hair_dark.rgb, hair_light.rgb, strand * (curls ? .5 : 1.)) * (.55 + .45 * layer));
    s.gloss = curls ? .015 : .06; s.shine = 20.; s.wrap = .1;
    finish(s);
}
