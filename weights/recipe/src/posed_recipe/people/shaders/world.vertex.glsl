// What stands in the world by itself.
in vec3 position; in vec3 normal;
out vec3 world; out vec3 world_normal; out vec3 at; out vec2 arm; out vec2 inside; out float layer; out vec3 lit_at;
void main() {
    world = position; world_normal = normal; at = position; arm = vec2(0); inside = vec2(1); layer = 0.;
    lit_at = (to_light * vec4(world, 1)).xyz * .5 + .5;
    gl_Position = to_clip * vec4(world, 1);
}
