// Woven things. PATTERN and PRINTED are set when the program is built; `pattern` is in patterns.glsl.
uniform int cloth;
uniform int wrap_around;  // 0 torso and arms, 1 legs one by one, 2 the head
void main() {
    if (inside.x < 0.) discard;
    Cloth c = cloths[cloth];
    vec3 t = at;
    float seed = c.surface.y;
    vec2 q = unrolled(t, arm, wrap_around);
    vec3 color = pattern(c, q, t, arm, wrap_around);
#if PRINTED
    color = printed(c, color, t, arm);
#endif
    float weave = noise(vec3(q * 26., seed));
    float near = clamp(1.6 - 26. * fwidth(q.y), 0., 1.);
    color *= 1. + (weave - .5) * .22 * near;
    float trim = c.sewing.y;
    if (trim > .5 && inside.y < .22) color = c.third.rgb;
    else if (inside.y < .08) color *= .86;
    Surface s = surface_of(color);
    s.gloss = c.surface.x; s.shine = 14.;
    int detail = int(c.sewing.w + .5);
    if (t.z > 0. && arm.y < .5 && wrap_around == 0) {
        if (detail == 1) {
            if (abs(t.x) < .02 || abs(abs(t.x) - .16) < .01) s.open *= .8;
            if (length(vec2(t.x, (fract(t.y * 1.25) - .5) * .8)) < .055) s.color = mix(c.third.rgb, vec3(.9), .6);
        } else if (detail == 2 && abs(t.x) < .045) {
            s.color = mix(c.third.rgb, vec3(.6), step(.5, fract(t.y * 9.)) * .5); s.gloss = .2;
        }
    }
    if (detail == 3) s.open *= .86 + .14 * cos(atan(t.x, t.z - .2) * 24.);
    if (detail == 4 && abs(t.y - 2.6) < .9 && abs(abs(t.x) - .95) < .5 && t.z > .2 && arm.y < .5)
        s.open *= abs(abs(t.y - 2.6) - .86) < .05 || abs(abs(abs(t.x) - .95) - .46) < .05 ? .7 : .96;
    if (wrap_around == 1 && t.z > 0. && abs(t.x) < .03 && t.y > -.6) s.open *= .75;
    if (c.sewing.z > 0.) {
        float folds = noise(t * vec3(1.0, .45, 1.0) + seed * 1.7) * .9 + .38 * noise(t * vec3(2.6, 1.1, 2.6) + seed);
        float bend = arm.y > .5 ? exp(-pow((arm.x - 1.) * 3.5, 2.))
            : exp(-pow((t.y + 3.75) * 1.2, 2.)) + .6 * exp(-pow((t.y - 2.3) * .9, 2.));
        folds += bend * .25 * noise(vec3(t.x * 1.2, t.y * 3.5, t.z * 1.2) + seed);
        float height = folds * c.sewing.z * .035;
        if (PATTERN == 13) height += .0022 * cos(q.x * c.second.w * 22.) * (1. + .4 * cos(q.y * 16.));
        s.normal = bumped(s.normal, height);
        s.open *= .80 + .4 * clamp(folds - .35, 0., .5);
    }
    if (!gl_FrontFacing) s.color *= .45;
    finish(s);
}
