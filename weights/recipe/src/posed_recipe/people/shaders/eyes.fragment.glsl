// The eyeballs: white, iris, pupil and a glint.
void main() {
    vec2 d = vec2(abs(at.x) - .312, at.y - 7.285);
    float r = length(d);
    Surface s = surface_of(vec3(.80, .78, .76));
    if (at.z > 1.25) {
        if (r < .068) s.color = iris.rgb * (.6 + .8 * smoothstep(.03, .068, r));
        if (r < .070 && r > .060) s.color *= .4;
        if (r < .030) s.color = vec3(.01);
        if (length(d - vec2(.025, .03)) < .016) s.color = vec3(.95);
    }
    s.color *= mix(.55, 1., smoothstep(.14, .02, d.y + .02));
    s.gloss = .25; s.shine = 60.;
    float lid = d.y - mix(.15, -.10, mood.w);
    if (mood.w > 0. && lid > 0.) {
        s.color = skin.rgb * (lid < .03 ? .35 : .85);
        s.gloss = .05;
    }
    finish(s);
}
