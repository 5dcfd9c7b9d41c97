// Uniform blocks, filled by `uniforms.py` in exactly this order.
struct Cloth {
    vec4 first;    // colour, number of the pattern
    vec4 second;   // colour, frequency
    vec4 third;    // colour, parameter
    vec4 sewing;   // number of the print, trim, strength of folds, number of the detail
    vec4 surface;  // gloss, seed
};
layout(std140) uniform Bones { vec4 bones[489]; };
layout(std140) uniform Frame {
    mat4 to_clip;
    mat4 to_light;
    mat4 from_clip;
    vec4 eye;
    vec4 sun;         // direction towards the light
    vec4 sun_color;
    vec4 sky_color;
    vec4 floor_color;
    vec4 strength;    // of shadows on people, of shadows on the floor
    vec4 mood;        // mouth open, mouth narrow, brows raised, lids closed
};
layout(std140) uniform Person {
    vec4 skin;
    vec4 lips;
    vec4 iris;
    vec4 hair_dark;   // w: what grows: 0 nothing, 1 hair, 2 curls
    vec4 hair_light;
    vec4 face;        // brow thickness, brow height, blush, beard
    vec4 marks;       // freckles, seed
    Cloth cloths[10];
};
