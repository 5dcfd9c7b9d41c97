// Shoes: upper, sole, cap and laces.
uniform int cloth;
uniform float sole;
void main() {
    if (inside.x < 0.) discard;
    Cloth c = cloths[cloth];
    Surface s = surface_of(c.first.rgb);
    if (at.y < -8. + sole) s.color = c.second.rgb;
    else if (sole > .12) {
        if (at.z > 1.2) s.color = mix(c.first.rgb, c.third.rgb, .6);
        if (abs(fract(at.z * 5.) - .5) < .12 && at.z > .5 && at.z < 1.3 && at.y > -7.75) s.color = c.second.rgb;
    }
    s.gloss = .10; s.shine = 20.;
    finish(s);
}
