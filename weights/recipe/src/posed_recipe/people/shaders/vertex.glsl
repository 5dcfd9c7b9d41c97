// Moves a vertex with its bones (rows of 3x4 matrices) and hands on what the fragment shaders paint by.
in vec3 position; in vec3 normal; in vec2 cut;
in vec3 template_position; in vec2 limb; in float shell; in vec4 weights; in vec4 joints;
out vec3 world; out vec3 world_normal; out vec3 at; out vec2 arm; out vec2 inside; out float layer; out vec3 lit_at;
void main() {
    vec4 a = vec4(0), b = vec4(0), c = vec4(0);
    for (int k = 0; k < 4; k++) {
        int row = 3 * int(joints[k]);
        a += bones[row] * weights[k]; b += bones[row + 1] * weights[k]; c += bones[row + 2] * weights[k];
    }
    vec4 p = vec4(position, 1);
    world = vec3(dot(a, p), dot(b, p), dot(c, p));
    world_normal = vec3(dot(a.xyz, normal), dot(b.xyz, normal), dot(c.xyz, normal));
    at = template_position; arm = limb; inside = cut; layer = shell;
    lit_at = (to_light * vec4(world, 1)).xyz * .5 + .5;
    gl_Position = to_clip * vec4(world, 1);
}
