"""Where each garment is: fields over template coordinates, in decimetres from the garment's edge, positive inside.

Evaluated at vertices; shaders interpolate them and cut, trim and hide what lies below. `at` is (n, 3)
template coordinates, `limb` (n, 2) the arm parameters of `BodyModel.limb`.
"""

import numpy as np

NOWHERE = -9.0


def smoothstep(low, high, x):
    """0 below `low`, 1 above `high`, smooth between; the edges may be given in falling order."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def neckline(top, at):
    """How far below the neckline of `top`."""
    across = np.abs(at[:, 0])
    front = smoothstep(.1, .9, at[:, 2])
    reach = across / top.neck_width
    shape = np.clip(1 - reach, 0, 1) if top.pointed else np.sqrt(np.clip(1 - reach ** 2, 0, 1))
    height = top.neck_height - top.neck_depth * shape * front - .25 * shape * (1 - front)
    return height - at[:, 1] + .5 * smoothstep(.85, 1.3, across)


def _sleeved(hem, sleeve, at, limb):
    along_arm = (sleeve - limb[:, 0]) * 2.8
    share = smoothstep(.35, .65, limb[:, 1])
    inside = (at[:, 1] - hem) * (1 - share) + along_arm * share
    return np.minimum(inside, (.05 + sleeve - limb[:, 0]) * 3) if sleeve < .05 else inside


def top(outfit, at, limb):
    """Shirts, blouses and the upper part of dresses."""
    cut = outfit.top
    return np.minimum(_sleeved(cut.hem, cut.sleeve, at, limb), neckline(cut, at))


def outer(outfit, at, limb):
    """Jackets and coats."""
    cut = outfit.outer
    if cut is None:
        return np.full(len(at), NOWHERE)
    inside = _sleeved(cut.hem, cut.sleeve, at, limb)
    if cut.opening > 0:
        inside = np.minimum(inside, beside_opening(cut, at, limb))
    return np.minimum(inside, 6.15 - at[:, 1] - .2 * smoothstep(.2, .9, at[:, 2]))


def beside_opening(cut, at, limb):
    """How far to the side of a jacket's front opening; large at the back and on the arms."""
    front = smoothstep(.0, .3, at[:, 2]) * (limb[:, 1] < .5)
    width = cut.opening * (.8 + .35 * smoothstep(5.5, 0, at[:, 1]))
    return 9 * (1 - front) + (np.abs(at[:, 0]) - width) * front


def trousers(outfit, at, limb):
    """Trousers and shorts."""
    if outfit.trousers is None:
        return np.full(len(at), NOWHERE)
    waist, hem = outfit.trousers
    return np.where(limb[:, 1] > .5, NOWHERE, np.minimum(waist - at[:, 1], at[:, 1] - hem))


def skirt(outfit, at, limb):
    """Skirts and the lower part of dresses."""
    if outfit.skirt is None:
        return np.full(len(at), NOWHERE)
    high, hem = outfit.skirt
    return np.where(limb[:, 1] > .5, NOWHERE, np.minimum(high - at[:, 1], at[:, 1] - hem))


def shoes(outfit, at):
    """Shoes and boots up to their shaft."""
    return np.full(len(at), NOWHERE) if outfit.shaft is None else outfit.shaft - at[:, 1]


def socks(outfit, at, limb):
    """Socks and tights up to their edge."""
    if outfit.socks is None:
        return np.full(len(at), NOWHERE)
    return np.where(limb[:, 1] > .5, NOWHERE, outfit.socks - at[:, 1])


# Height of the hairline by depth, from the back of the ear over it and the sideburn to the temple.
_SIDE_DEPTH = (.10, .20, .27, .62, .67, .80, .87, .98, 1.06)
_SIDE_HEIGHT = (None, 7.0, 7.47, 7.47, 7.18, 7.18, 7.5, 7.7, None)


def hairline(hair, at):
    """The part of the scalp where hair grows; `hair.shaved` raises its sides."""
    across = np.abs(at[:, 0])
    heights = [hair.nape, *_SIDE_HEIGHT[1:-1], hair.front]
    side = np.interp(at[:, 2], _SIDE_DEPTH, heights)
    raised = np.minimum(hair.front, 7.85) * hair.shaved * smoothstep(1.1, .9, at[:, 2])
    front = .10 * across ** 2 * smoothstep(.9, 1.05, at[:, 2])
    return at[:, 1] - np.maximum(side - front, raised)
