// Averages the supersampled people over the background and the shadow they cast on the floor.
// The result's alpha is the number of the part at the pixel, 0 where less than half of it is covered.
in vec2 uv;
out vec4 out_color;
uniform sampler2D people;
uniform sampler2D background;
uniform sampler2D shadow_map;
uniform int samples;
vec3 behind() {
    vec3 color = texture(background, uv).rgb;
    if (strength.y <= 0.) return color;
    vec4 far = from_clip * vec4(uv * 2. - 1., 1, 1);
    vec3 ray = far.xyz / far.w - eye.xyz;
    if (ray.y > -1e-4) return color;
    vec3 floor_at = eye.xyz - ray * (eye.y / ray.y);
    float distance = length(floor_at.xz);
    if (distance > 3.) return color;
    vec3 l = (to_light * vec4(floor_at, 1)).xyz * .5 + .5;
    float lit = 0.;
    for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++)
            lit += texture(shadow_map, l.xy + vec2(i, j) * (3.4 / 512.)).r < l.z - .003 ? 0. : 1. / 9.;
    float dark = (1. - lit) * exp(-distance * .9) * .45 + exp(-distance * distance * 9.) * .25;
    return color * (1. - dark * strength.y);
}
void main() {
    ivec2 corner = ivec2(gl_FragCoord.xy) * samples;
    vec3 sum = vec3(0);
    float covered = 0., part = 0.;
    for (int i = 0; i < samples; i++)
        for (int j = 0; j < samples; j++) {
            vec4 s = texelFetch(people, corner + ivec2(i, j), 0);
            if (s.a > 0.) { sum += s.rgb; covered += 1.; part = s.a; }
        }
    float all = float(samples * samples);
    vec3 back = covered < all ? behind() : vec3(0);
    out_color = vec4((sum + back * (all - covered)) / all, covered * 2. >= all ? part : 0.);
}
