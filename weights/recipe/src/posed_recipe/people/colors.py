"""Colours of people and clothes. Sampled as display values (sRGB-like), kept linear for the shaders."""

import colorsys

import numpy as np

SKIN = np.array([[.96, .82, .73], [.93, .76, .65], [.87, .68, .55], [.78, .57, .43],
                 [.62, .42, .30], [.45, .29, .20], [.33, .21, .15]])
HAIR = np.array([[.06, .05, .05], [.10, .07, .05], [.20, .12, .07], [.33, .20, .11], [.55, .38, .20],
                 [.78, .62, .38], [.45, .16, .07], [.55, .54, .53], [.84, .83, .80]])
IRIS = np.array([[.25, .15, .08], [.15, .09, .05], [.35, .42, .30], [.30, .42, .55], [.40, .30, .15]])


def linear(display):
    """Display values brought to the linear light in which shaders compute."""
    return np.clip(np.asarray(display, float), 0, 1) ** 2.2


def hsv(hue, saturation, value):
    """Display values of a hue (any real number; one turn is 1)."""
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value))


def skin_tone(rng, ancestry):
    """Display colour of a skin: (african, asian, caucasian) shares shift it along a ramp, then chance does."""
    at = np.clip(ancestry @ np.array([5.0, 1.9, .8]) + rng.normal(0, .7), 0, 6)
    i = min(int(at), 5)
    tone = SKIN[i] * (i + 1 - at) + SKIN[i + 1] * (at - i)
    return np.clip(tone * rng.uniform(.93, 1.05) + rng.normal(0, .012, 3), 0, 1), at


def hair_color(rng, darkness, age):
    """Display colour of hair, by the skin's place on the ramp and the age (0.5 … 1)."""
    share = np.array([.55, .25, .1, .03, .01, .01, .01, .03, .01]) if darkness > 3 else \
        np.array([.26, .22, .18, .1, .08, .07, .04, .04, .01])
    if age > .8:
        share = share + np.array([0, 0, 0, 0, 0, 0, 0, .8, .5])
    if rng.random() < .05:
        return hsv(rng.random(), .65, .7)
    return np.clip(HAIR[rng.choice(len(HAIR), p=share / share.sum())] * rng.uniform(.85, 1.15), 0, 1)


def cloth_color(rng):
    """Linear colour of a cloth: as often black, white, grey, navy and earth tones as wardrobes are, else any."""
    kind, uniform = rng.random(), rng.uniform
    if kind < .15:
        color = np.full(3, uniform(.04, .16)) + rng.normal(0, .01, 3)
    elif kind < .30:
        color = np.full(3, uniform(.80, .97)) + rng.normal(0, .012, 3)
    elif kind < .38:
        color = np.full(3, uniform(.25, .7)) + rng.normal(0, .015, 3)
    elif kind < .48:
        color = hsv(uniform(.55, .68), uniform(.4, .85), uniform(.2, .6))
    elif kind < .58:
        color = hsv(uniform(.05, .13), uniform(.2, .65), uniform(.35, .9))
    elif kind < .68:
        color = hsv(rng.random(), uniform(.12, .35), uniform(.75, .97))
    else:
        color = hsv(rng.random(), uniform(.35, .95), uniform(.3, .97))
    return linear(color)


def denim(rng):
    """Linear colour of jeans: from raw indigo to bleached."""
    return linear(hsv(rng.uniform(.57, .64), rng.uniform(.2, .7), rng.uniform(.16, .8)))
