"""Postures of people: standing, walking, seated, signing, seen from any side, drawn by chance."""

import numpy as np

from .posing import SEATED, SIDES, SIGNING, STANDING, WALKING, Arm, Leg, Pose
from .rotations import X, Z, about, unit

KIND_SHARES = (.50, .19, .09, .22)
VIEWS = {"front": .48, "oblique": .24, "side": .13, "back": .15}
ARM_MODES = {"hang": .34, "hip": .11, "pocket": .09, "sign": .12, "face": .06, "up": .06, "side": .06, "crossed": .03,
             "back": .03, "clasp": .04, "any": .06}
SEATED_MODES = {"lap": .5, "sign": .22, "face": .1, "any": .06, "clasp": .12}

# Curls in degrees of the handshapes; None is drawn.
HANDSHAPES = {"relaxed": 22, "fist": 75, "open": 3, "point": (20, 3, 75, 75, 75), "two": (60, 3, 3, 75, 75),
              "thumb": (0, 75, 75, 75, 75), "pinch": (45, 42, 30, 20, 12), "mixed": None}


def _choice(rng, shares):
    names = list(shares)
    return str(rng.choice(names, p=np.array([shares[name] for name in names]) / sum(shares.values())))


def sample_pose(rng, poser, stride=1.0, kind=None):
    """A pose; `stride` (0 … 1) bounds how far the legs part, for narrow skirts."""
    uniform, normal = rng.uniform, rng.normal
    if kind is None:
        kind = int(rng.choice(4, p=KIND_SHARES))
    view = _choice(rng, VIEWS if kind != SIGNING else {"front": .75, "oblique": .2, "side": .05})
    sign = rng.choice([-1, 1])
    yaw = {"front": normal(0, 14), "oblique": sign * uniform(25, 60), "side": sign * uniform(60, 115),
           "back": 180 + normal(0, 25)}[view]
    tilt = normal(0, 2 if kind == SEATED else 3)
    lean = uniform(-14, 4) if kind == SEATED else normal(0, 2.5)
    nod = normal(1, 5) - lean * .6 + (uniform(5, 22) if rng.random() < .12 else 0)
    spine = np.array([nod, normal(0, 8), -tilt * 1.1 + normal(0, 2.5)])
    turn = np.clip(normal(0, 20), -60, 60)
    if view in ("side", "back") and rng.random() < .45:  # looks towards the camera
        turn = -np.sign((yaw + 180) % 360 - 180) * uniform(15, 60)
    head = np.array([normal(2, 8), turn, normal(0, 6)])
    return Pose(yaw, tilt, lean, spine, head, _legs(rng, kind, stride), sample_arms(rng, kind, poser), kind)


def _legs(rng, kind, stride):
    uniform, normal = rng.uniform, rng.normal
    step = uniform(10, 28) * rng.choice([-1, 1]) * stride
    relaxed = rng.integers(2) if rng.random() < .5 else None
    legs = []
    for number, (_, sign) in enumerate(SIDES):
        if kind == SEATED:
            leg = Leg(uniform(72, 95), uniform(-4, 16) * stride, uniform(70, 105), uniform(-8, 12))
        elif kind == WALKING:
            ahead = step * sign
            knee = uniform(8, 45) * stride if ahead < 0 else uniform(0, 18)
            leg = Leg(ahead + normal(3, 4), normal(-1, 2), knee, uniform(-4, 10))
            leg.foot = np.clip(leg.forward - knee, -35, 18) - (leg.forward - knee)
        else:
            leg = Leg(normal(2, 5), normal(-2, 5), abs(normal(0, 6)), uniform(-2, 18))
            if number == relaxed:
                leg.forward += uniform(5, 25) * stride
                leg.knee = leg.forward * uniform(1, 1.8)
                leg.outward += uniform(0, 10) * stride
            if rng.random() < .06 * stride and kind == STANDING:
                leg.forward, leg.knee = uniform(35, 85), uniform(40, 110)
            leg.outward *= .4 + .6 * stride
        leg.foot += normal(0, 4)
        leg.toes = normal(3, 4)
        legs.append(leg)
    return tuple(legs)


def sample_arms(rng, kind, poser):
    """Left and right arm of a posture of that kind."""
    shares = dict(SEATED_MODES if kind == SEATED else ARM_MODES)
    if kind == WALKING:
        shares["hang"] *= 2.5
    if kind == SIGNING:
        shares = {"sign": .85, "face": .1, "hang": .05}
    first = _choice(rng, shares)
    modes = [first, first if rng.random() < .4 else _choice(rng, shares)]
    if "crossed" in modes:
        modes = ["crossed", "crossed"]
    return tuple(sample_arm(rng, poser, *SIDES[number], mode, number) for number, mode in enumerate(modes))


def sample_arm(rng, poser, side, sign, mode, number):
    """An arm of one side, the first or second to be drawn (`number`), that does what `mode` says."""
    uniform, normal = rng.uniform, rng.normal
    shoulder = poser.joint(f"upperarm01.{side}")
    length = sum(poser.arm_lengths(side))
    if mode == "hang":
        bend = abs(normal(14, 12)) + 4
        down = about(Z, abs(normal(9, 5)) + 4) @ about(X, -normal(2, 9) + bend * -.5) @ np.array([0, -1., 0])
        swing = np.radians(uniform(-35, 35))
        arm = Arm(down * np.cos(np.radians(bend / 2)), np.array([np.sin(swing), 0, -np.cos(swing)]))
    else:
        place, elbow = _place(rng, poser, side, mode, number)
        arm = Arm((place - shoulder) * np.array([sign, 1, 1]) / length, elbow)
    spans = {"hang": (-23, 13), "hip": (-30, 40), "sign": (-70, 80), "face": (-60, 60), "clasp": (-20, 50)}
    arm.turn = uniform(*spans[mode]) if mode in spans else normal(0, 30)
    arm.flex, arm.sway = normal(0, 12 if mode in ("hang", "pocket") else 22), normal(0, 8)
    arm.curls, arm.spread = handshape(rng, mode in ("sign", "any", "up", "side", "face"))
    return arm


def _place(rng, poser, side, mode, number):
    """Where the wrist goes on this body, and which way the elbow points, in metres with x to the left side."""
    uniform = rng.uniform
    sign = 1 if side == "L" else -1
    out = np.array([sign, 1, 1])
    shoulder, hip = poser.joint(f"upperarm01.{side}"), poser.joint(f"upperleg01.{side}")
    waist = poser.joint("spine04")[1]
    _, height, depth = shoulder

    def near(point, *ranges):
        return point + out * np.array([uniform(*span) for span in ranges])

    middle = np.array([0, height, depth])
    if mode == "hip":
        return near(hip, (.10, .15), (.08, .16), (-.02, .10)), np.array([1., -.05, uniform(-.8, 0)])
    if mode == "pocket":
        return near(hip, (.10, .14), (-.06, .04), (.02, .10)), np.array([.7, -.1, -1.])
    if mode == "sign":
        return near(middle, (-.06, .30), (-.38, .10), (.18, .42)), np.array([uniform(.3, .9), -1., uniform(-.5, .1)])
    if mode == "face":
        return near(middle, (.04, .14), (.08, .26), (.10, .22)), np.array([uniform(.5, 1.), -1., uniform(-.1, .5)])
    if mode == "up":
        return near(shoulder, (-.05, .35), (.30, .52), (-.05, .25)), np.array([1., -.2, -.1])
    if mode == "side":
        return near(shoulder, (.35, .6), (-.25, .2), (-.05, .25)), np.array([.1, -1., -.4])
    if mode == "crossed":
        ahead = .25 if number == 0 else .19
        return near(middle, (-.13, -.07), (-.30, -.24), (ahead, ahead)), np.array([1., -1., -.1])
    if mode == "back":
        return near(np.array([0, waist, depth]), (0, .06), (-.1, .02), (-.22, -.17)), np.array([1., -.2, -.7])
    if mode == "clasp":
        return near(np.array([0, waist, depth]), (.03, .06), (-.22, .12), (.2, .32)), np.array([1., -.6, -.5])
    if mode == "lap":
        return near(hip, (-.06, .06), (.06, .14), (.2, .36)), np.array([.8, -.4, -.6])
    direction = unit(np.array([uniform(-.3, 1.), uniform(-1, .8), uniform(-.25, 1.)]))
    reach = sum(poser.arm_lengths(side)) * uniform(.6, .97)
    return shoulder + out * direction * reach, unit(np.array([uniform(.2, 1.), -uniform(.3, 1), uniform(-.8, .1)]))


def handshape(rng, lively):
    """(curls, spread) of a hand; a lively one takes all shapes, else it mostly hangs relaxed."""
    shares = dict(relaxed=.35, fist=.12, open=.18, point=.1, two=.06, thumb=.04, pinch=.05, mixed=.1) if lively \
        else dict(relaxed=.8, fist=.1, open=.1)
    shape = _choice(rng, shares)
    base = HANDSHAPES[shape]
    curls = rng.choice([2., 75.], 5) if base is None else np.broadcast_to(np.array(base, float), 5).copy()
    if shape == "relaxed":
        curls += np.arange(-1, 4) * 3
    return curls + rng.normal(0, 5, 5), rng.uniform(0, 7 if shape == "open" else 4)
