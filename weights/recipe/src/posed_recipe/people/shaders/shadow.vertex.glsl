in vec3 position; in vec2 cut; in vec4 weights; in vec4 joints;
out vec2 inside;
void main() {
    vec4 a = vec4(0), b = vec4(0), c = vec4(0);
    for (int k = 0; k < 4; k++) {
        int row = 3 * int(joints[k]);
        a += bones[row] * weights[k]; b += bones[row + 1] * weights[k]; c += bones[row + 2] * weights[k];
    }
    vec4 p = vec4(position, 1);
    inside = cut;
    gl_Position = to_light * vec4(dot(a, p), dot(b, p), dot(c, p), 1);
}
