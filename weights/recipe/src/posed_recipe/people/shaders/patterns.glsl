// Coordinates on cloth, its patterns and its prints. Numbers are those of `wardrobe.py`.
vec2 unrolled(vec3 t, vec2 arm, int wrap_around) {
    if (wrap_around == 0 && arm.y > .5) {
        float side = sign(t.x);
        vec2 along = normalize(vec2(1.3 * side, -1.47)), across = vec2(-along.y, along.x) * side;
        return vec2(dot(t.xy - vec2(1.61 * side, 5.36), across) * 1.4 + t.z * .5, 5.2 - arm.x * 2.6);
    }
    if (wrap_around == 1 && t.y < -.6) {
        float side = sign(t.x), centre = side * mix(.96, 2.19, (.33 - t.y) / 7.6);
        return vec2(atan(t.x - centre, t.z - .15) * .8 + side * 2., t.y);
    }
    return vec2(atan(t.x, t.z - .3) * 1.5, t.y);
}
float line(float x, float share, float soft) {  // a stripe of width `share` of each unit, its edges smoothed
    float k = abs(fract(x) - .5) * 2.;
    return smoothstep(share + soft, share - soft, k);
}
vec3 pattern(Cloth c, vec2 q, vec3 t, vec2 arm, int wrap_around) {
    vec3 a = c.first.rgb, b = c.second.rgb, d = c.third.rgb;
    float f = c.second.w, p = c.third.w, seed = c.surface.y;
    vec2 soft = clamp(fwidth(q * f) * 1.2, .01, .6);
#if PATTERN == 1
    return mix(a, b, line(q.y * f, p, soft.y));
#elif PATTERN == 2
    return mix(a, b, line(q.x * f * 2. + .25, .18 + .3 * p, soft.x * 2.));
#elif PATTERN == 3
    return mix(a, b, .5 * line(q.x * f * 1.3, .5, soft.x) + .5 * line(q.y * f * 1.3, .5, soft.y));
#elif PATTERN == 4
    vec2 g = q * f * 1.4; g.x += .5 * mod(floor(g.y), 2.);
    return mix(a, b, 1. - smoothstep(p * .5 - .06, p * .5 + .06, length(fract(g) - .5)));
#elif PATTERN == 5
    return mix(b, a, wrap_around == 1 ? smoothstep(-7., 1.5, t.y) : smoothstep(-1., 5.5, q.y));
#elif PATTERN == 6
    float border = wrap_around == 1 ? mix(-5., -1., p) : mix(2.5, 5., p);
    return wrap_around == 0 && arm.y > .5 ? b : t.y > border ? a : t.y > border - .8 ? d : b;
#elif PATTERN == 7
    float n = noise(t * f * 1.2 + seed) * .7 + noise(t * f * 2.7 + seed) * .3;
    float m = noise(t * f * 1.3 + seed + 40.) * .7 + noise(t * f * 3.1 + seed) * .3;
    return mix(mix(a, b, smoothstep(.47, .53, n)), d, smoothstep(.57, .62, m));
#elif PATTERN == 8
    vec2 g = q * f; vec2 id = floor(g);
    float r = hash(vec3(id, seed)), turn;
    vec2 o = vec2(hash(vec3(id, seed + 3.)), hash(vec3(id, seed + 9.))) - .5, v = fract(g) - .5 - .4 * o;
    turn = atan(v.y, v.x) + r * 6.;
    float size = .22 + .1 * cos(turn * 5.), far = length(v);
    vec3 bloom = mix(r > .5 ? b : d, vec3(.9, .75, .2), smoothstep(.10, .05, far));
    return mix(a, bloom, 1. - smoothstep(size - .05, size + .03, far));
#elif PATTERN == 9
    vec3 denim = a * (.82 + .36 * noise(t * vec3(40., 9., 40.)));
    if (wrap_around == 1) {
        float side = sign(t.x), worn = exp(-pow((t.x - side * 1.25) * 2.2, 2.)) * step(.3, t.z) * exp(-pow((t.y + 2.) * .45, 2.));
        denim = mix(denim, clamp(a * 1.8 + .08, 0., 1.), .6 * worn * p);
        float seam = abs(abs(q.x - side * 2.) - 1.25);
        if (t.y < -.6 && seam < .03) denim *= .75;
    }
    return denim;
#elif PATTERN == 10
    vec2 g = q * f;
    vec3 plaid = mix(a, b, .5 * line(g.x, .42, soft.x) + .5 * line(g.y, .42, soft.y));
    float fine = max(line(g.x + .5, .09, soft.x), line(g.y + .5, .09, soft.y));
    return mix(mix(plaid, d, .7 * fine), vec3(.9), .5 * max(line(g.x + .28, .04, soft.x), line(g.y + .28, .04, soft.y)));
#elif PATTERN == 11
    vec2 g = vec2(q.x * f * .9 + q.y * f * .55, q.x * f * .9 - q.y * f * .55);
    vec3 argyle = mix(a, b, mod(floor(g.x) + floor(g.y), 2.));
    return mix(argyle, d, max(line(g.x, .07, soft.x), line(g.y, .07, soft.y)));
#elif PATTERN == 12
    return mix(a, b, line(q.y * f + abs(fract(q.x * f) - .5) * (.5 + p), .5, soft.y));
#elif PATTERN == 13
    return a * (.80 + .26 * line(q.x * f * 3.5, .55, soft.x * 3.) * (.75 + .25 * cos(q.y * 16.)));
#elif PATTERN == 14
    float n = noise(t * f * 3. + seed), m = noise(t * f * 3.3 + seed + 20.);
    float ring = smoothstep(.60, .66, n) * (1. - smoothstep(.74, .80, n));
    return mix(mix(a, d, smoothstep(.72, .8, n)), b, ring * smoothstep(.25, .4, m));
#elif PATTERN == 15
    vec2 v = (wrap_around == 1 ? q : t.xy) - vec2(.3 * cos(seed), wrap_around == 1 ? -3. : 3.4 + sin(seed));
    float k = length(v) * f * .8 + atan(v.y, v.x) * .32 * floor(1. + 3. * p) + .5 * noise(t * 1.6 + seed);
    return mix(mix(a, b, smoothstep(.3, .7, abs(fract(k) - .5) * 2.)), d, smoothstep(.55, .8, noise(t * 1.1 + seed + 9.)));
#elif PATTERN == 16
    return wrap_around == 0 && (arm.y > .35 || t.y > 5.3 + .5 * abs(t.x) - .2) ? b : a;
#elif PATTERN == 17
    return mix(a, b, max(line(q.x * f, .09, soft.x), line(q.y * f, .09, soft.y)));
#elif PATTERN == 18
    vec2 g = q * f * 2.2;
    float k = step(.5, fract(g.x)), l = step(.5, fract(g.y)), slant = step(.5, fract((g.x + g.y) * 2.));
    float hound = k * l + (1. - k) * l * slant + k * (1. - l) * slant;
    return mix(mix(a, b, hound), mix(a, b, .5), smoothstep(.25, .6, max(soft.x, soft.y) * 2.2));
#elif PATTERN == 19
    float row = fract(q.y * f * .45);
    return row < .34 ? a : row < .67 ? b : d;
#else
    return a;
#endif
}
// What is printed on the chest.
vec3 printed(Cloth c, vec3 color, vec3 t, vec2 arm) {
    if (arm.y > .5 || t.z < .2) return color;
    vec2 p = t.xy - vec2(0, 4.15);
    float seed = c.surface.y;
    int kind = int(c.sewing.x + .5);
    vec3 b = c.second.rgb, d = c.third.rgb;
    if (kind == 1) return length(p) < .5 ? b : length(p) < .75 ? d : color;
    if (kind == 2) return abs(p.x) < .95 && abs(p.y) < .6 && hash(vec3(floor(p * vec2(5., 4.)), seed)) > .45 ? d : color;
    if (kind == 3) {
        float n = noise(vec3(abs(p.x) * 2.2, p.y * 2.2, seed));
        return n > .42 && length(p * vec2(.9, .8)) < .95 ? (n > .6 ? b : d) : color;
    }
    if (kind == 4) {
        float row = floor(p.y * 2.6 + 1.), column = floor(p.x * 6.);
        bool ink = abs(p.x) < 1. && row >= 0. && row < 2. && fract(p.y * 2.6) < .62 && fract(p.x * 6.) > .2;
        return ink && hash(vec3(column, row, seed)) > .25 ? d : color;
    }
    if (kind == 5) return length(p - vec2(.75, .35)) < .2 ? d : color;
    if (kind == 6) {
        vec2 cell = vec2(abs(abs(p.x) - .42), p.y);
        bool ink = max(abs(cell.x), abs(cell.y) * .55) < .36 && max(abs(cell.x), abs(cell.y) * .55) > .2;
        bool middle = abs(cell.y) < .08 && cell.x < .3;
        return ink && !(hash(vec3(sign(p), seed)) > .6 && cell.y * sign(seed - 25.) > .1) || middle ? d : color;
    }
    if (kind == 7) {
        if (abs(p.x) > .8 || abs(p.y) > .95) return color;
        vec3 n = vec3(noise(vec3(p * 1.7, seed)), noise(vec3(p * 2.3, seed + 7.)), noise(vec3(p * 3.1, seed + 13.)));
        return mix(mix(b, d, smoothstep(.35, .65, n.x)), n, .45);
    }
    if (kind == 8) return abs(p.y) < .42 ? (abs(p.y) < .30 ? d : b) : color;
    float turn = atan(p.x, p.y), spike = .45 + .25 * cos(turn * 5.);
    return length(p) < spike * 1.2 ? d : color;
}
