// One light with a shadow map, a sky above and a floor below. Every fragment shader ends in `finish`.
in vec3 world; in vec3 world_normal; in vec3 at; in vec2 arm; in vec2 inside; in float layer; in vec3 lit_at;
layout(location = 0) out vec4 out_color;
layout(location = 1) out vec4 out_surface;   // where on the person, in template coordinates; the part
uniform sampler2D shadow_map;
uniform int part;   // the number of the part map

struct Surface { vec3 color; vec3 normal; float gloss; float shine; float wrap; float open; vec3 glow; };

Surface surface_of(vec3 color) {
    vec3 n = normalize(world_normal);
    return Surface(color, gl_FrontFacing ? n : -n, .03, 12., .15, 1., vec3(0));
}
float lit() {
    if (any(lessThan(lit_at, vec3(0))) || any(greaterThan(lit_at, vec3(1)))) return 1.;
    float sum = 0.;
    for (int i = 0; i < 4; i++) {
        vec2 offset = (vec2(i & 1, i >> 1) - .5) * (2.2 / 512.);
        sum += texture(shadow_map, lit_at.xy + offset).r < lit_at.z - .004 ? 0. : .25;
    }
    return sum;
}
// Tilts the normal by the slope of a height in metres.
vec3 bumped(vec3 normal, float height) {
    vec3 dx = dFdx(world), dy = dFdy(world), r1 = cross(dy, normal), r2 = cross(normal, dx);
    float det = dot(dx, r1);
    vec3 slope = sign(det) * (dFdx(height) * r1 + dFdy(height) * r2);
    return normalize(abs(det) * normal - slope);
}
void finish(Surface s) {
    vec3 view = normalize(eye.xyz - world);
    float facing = dot(s.normal, sun.xyz);
    float shadow = mix(1., mix(1., lit(), strength.x), smoothstep(-.05, .15, facing));
    float diffuse = clamp((facing + s.wrap) / (1. + s.wrap), 0., 1.) * shadow;
    vec3 ambient = mix(floor_color.rgb, sky_color.rgb, s.normal.y * .5 + .5);
    vec3 light = ambient * (.75 + .35 * clamp(dot(s.normal, view), 0., 1.)) * s.open
        + sun_color.rgb * diffuse * mix(1., s.open, .5);
    float shine = s.gloss * pow(max(dot(s.normal, normalize(sun.xyz + view)), 0.), s.shine) * shadow * 4.;
    vec3 color = s.color * light + sun_color.rgb * (shine + s.glow * smoothstep(.4, -.1, abs(facing)) * .5 * s.color);
    color /= 1. + .12 * color;
    out_color = vec4(pow(clamp(color, 0., 1.), vec3(1. / 2.2)), float(part) / 255.);
    out_surface = vec4(at, float(part));
}
