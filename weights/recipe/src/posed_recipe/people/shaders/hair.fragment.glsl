// Long hair: strands that follow the fall of the curtain, tails and buns.
uniform float strands;  // how fine
void main() {
    float seed = marks.y;
    float turn = degrees(atan(at.x, at.z - .3));
    float wobble = noise(vec3(turn * .13, 1., seed)) - .5;
    if (inside.x + .35 * wobble * step(.001, inside.y) < 0.) discard;
    float fine = noise(vec3(turn * strands, at.y * .7, seed));
    float broad = noise(vec3(turn * strands * .3, at.y * .35, seed + 5.));
    Surface s = surface_of(mix(hair_dark.rgb, hair_light.rgb, .2 + .7 * broad * fine) * (.62 + .5 * fine));
    s.gloss = .09 * fine; s.shine = 20.; s.wrap = .1;
    s.open = .6 + .4 * smoothstep(0., .3, inside.x);
    s.normal = bumped(s.normal, (.5 * fine + broad) * .008);
    if (!gl_FrontFacing) { s.color *= .45; s.gloss = 0.; }
    finish(s);
}
