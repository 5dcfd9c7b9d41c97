// Skin, and the face painted on it: brows, lips, blush, beard, freckles, and hair where the scalp shows through.
void main() {
    if (inside.x < 0.) discard;
    vec3 t = at;
    float seed = marks.y;
    float tone = noise(t * 3. + seed);
    Surface s = surface_of(skin.rgb * (.93 + .14 * tone));
    s.wrap = .32; s.glow = vec3(.10, .025, .01); s.gloss = .05; s.shine = 18.;
    float front = step(.5, t.z) * step(6.2, t.y);
    if (t.y > 6.0) {
        float across = abs(t.x);
        vec2 mouth = vec2(t.x, t.y - 6.612);
        float narrow = 1. - .35 * mood.y;
        float reach = across / (.262 * narrow), corner = clamp(reach, 0., 1.2);
        float opened = mood.x * max(0., 1. - corner * corner), rise = .05 * opened, drop = -.12 * opened;
        float upper = rise + .125 * (1. - pow(corner, 2.2)) * (1. - .20 * exp(-mouth.x * mouth.x * 500.));
        float lower = drop - .135 * (1. - corner * corner * corner);
        float red = smoothstep(-.02, .015, min(upper - mouth.y, mouth.y - lower)) * front * step(1.15, t.z)
            * smoothstep(.282, .242, across / narrow);
        s.color = mix(s.color, lips.rgb, red * .8);
        s.gloss = mix(s.gloss, .10, red);
        float gap = front * step(1.1, t.z) * smoothstep(-.020, -.006, min(rise - mouth.y, mouth.y - drop))
            * smoothstep(.272, .232, across / narrow);
        s.color = mix(s.color, mix(lips.rgb * .30, vec3(.05, .015, .015), min(1., opened * 3.)), gap * .85);
        float teeth = gap * smoothstep(.15, .4, opened) * smoothstep(rise - .05, rise - .035, mouth.y);
        s.color = mix(s.color, vec3(.70, .67, .60), teeth * .8);
        vec2 b = vec2(across - .32, t.y - (7.505 + face.y + mood.z));
        float thick = face.x * mix(1., .45, smoothstep(-.12, .2, b.x));
        float arch = .035 - 1.1 * b.x * b.x + .10 * b.x;
        float brow = smoothstep(thick, thick * .4, abs(b.y - arch)) * smoothstep(.205, .15, abs(b.x)) * front;
        float hairs = noise(t * vec3(32., 18., 26.));
        s.color = mix(s.color, hair_dark.rgb * .7, clamp(brow * (.7 + .6 * hairs), 0., 1.) * .85);
        vec2 cheek = vec2(across - .50, t.y - 6.95);
        s.color = mix(s.color, s.color * vec3(1.10, .84, .82), face.z * front * exp(-dot(cheek, cheek) * 9.));
        vec2 socket = vec2(across - .31, t.y - 7.30) * vec2(.8, 1.2);
        s.color *= 1. - .28 * front * exp(-dot(socket, socket) * 14.);
        s.color *= 1. - .22 * marks.x * front * smoothstep(.62, .75, noise(t * 16. + seed)) * smoothstep(.9, .2, length(cheek));
        float jaw = 6.50 + .50 * smoothstep(.95, .45, t.z) - .12 * smoothstep(.25, .0, across);
        float beard = smoothstep(-.04, .12, jaw - t.y) * smoothstep(.30, .55, t.z) * step(across, .74)
            * smoothstep(-.05, .08, t.y - mix(6.48, 6.12, smoothstep(.6, 1.25, t.z)));
        float moustache = smoothstep(.055, .02, abs(mouth.y - .155 + .5 * mouth.x * mouth.x)) * smoothstep(.33, .25, across)
            * step(1.2, t.z);
        float goatee = smoothstep(.08, .03, abs(across - .30)) * smoothstep(.16, .10, abs(mouth.y)) * step(1.2, t.z);
        beard = max(max(beard, moustache), goatee * .9) * (1. - red) * (.65 + .7 * hairs);
        s.color = mix(s.color, hair_dark.rgb * .8, clamp(beard, 0., 1.) * face.w);
        s.open *= 1. - .35 * smoothstep(.12, .02, length(vec2(across - .10, t.y - 6.93))) * step(1.3, t.z);
        float grown = hair_dark.w > .5 ? smoothstep(-.03, .08, inside.y) : 0.;
        s.color = mix(s.color, hair_dark.rgb * .75 * (.8 + .4 * hairs), grown);
        s.gloss = mix(s.gloss, .02, grown);
        s.glow *= 1. - grown;
    }
    finish(s);
    if (t.y < 5.9 && part == 1) out_color.a = (arm.y > .5 ? 2. : 3.) / 255.;
    if (t.y >= 5.9 && hair_dark.w > .5 && inside.y > .04) out_color.a = 4. / 255.;
}
