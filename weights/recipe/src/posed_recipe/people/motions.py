"""Moving poses: a wave, a turn while walking, a gesture as in signing. Each is a function of time from 0 to 1."""

import numpy as np

from .posing import SIGNING, STANDING, WALKING, Arm, Leg, Pose, blend

RELAXED = np.array([12., 19, 22, 25, 28])
OPEN = np.array([5., 3, 3, 4, 6])
POINT = np.array([30., 2, 75, 78, 80])
FIST = np.array([35., 75, 76, 78, 80])
HANGING = Arm(np.array([.12, -.97, .10]), np.array([.2, 0., -1.]), curls=RELAXED)


def _raised(reach, turn=0., flex=0., curls=OPEN, spread=4., elbow=(.8, -1., -.1)):
    return Arm(np.array(reach, float), np.array(elbow, float), turn, flex, 0., curls, spread)


def _standing(arms, kind=STANDING, **changes):
    legs = (Leg(2, 1, 3, 8), Leg(6, 2, 9, 8))
    pose = dict(yaw=4., tilt=0., lean=0., spine=np.zeros(3), head=np.array([2., 0, 0]), legs=legs, arms=arms, kind=kind)
    return Pose(**{**pose, **changes})


def wave(time):
    """Raises the right hand, waves it three times and takes it down."""
    swing = np.sin(2 * np.pi * 3 * np.clip((time - .2) / .6, 0, 1))
    lifted = _raised((.28 + .13 * swing, .40 + .03 * abs(swing), .22), 10, 4 + 12 * swing, elbow=(1., -.35, -.15))
    share = _eased(np.interp(time, [0, .2, .8, 1], [0, 1, 1, 0]))
    pose = _standing((HANGING, blend(HANGING, lifted, share)))
    pose.spine, pose.head = np.array([0, -3 * share, 2 * share]), np.array([2, -4 * share, 5 * share + 1.5 * swing])
    return pose


def turn(time):
    """Walks on the spot and turns once about, four steps."""
    phase = 2 * np.pi * 2 * time
    stride, legs, arms = np.sin(phase), [], []
    for sign in (1, -1):
        ahead = 21 * sign * stride
        lift = max(0., np.cos(phase) * sign)  # the leg that swings forward is bent
        knee = 6 + 34 * lift + (8 if ahead < 0 else 0) * abs(stride)
        leg = Leg(ahead + 3 + 8 * lift, -1, knee, 4)
        leg.foot = np.clip(leg.forward - knee, -32, 16) - (leg.forward - knee)
        legs.append(leg)
        arms.append(Arm(np.array([.13, -.94, .08 - .30 * sign * stride]), np.array([.25, 0., -1.]), 5., curls=RELAXED))
    return _standing(tuple(arms), WALKING, yaw=360. * time, legs=tuple(legs), lean=2., tilt=1.5 * np.cos(phase),
                     spine=np.array([-1., 6 * stride, -1.5 * np.cos(phase)]), head=np.array([2., -4 * stride, 0]))


SIGNS = (  # (left arm, right arm) of a gesture's stations, hands before the chest
    (_raised((-.30, -.42, .50), 30, curls=RELAXED), _raised((-.30, -.42, .50), 30, curls=RELAXED)),
    (_raised((-.12, -.20, .55), 55, curls=OPEN), _raised((-.12, -.20, .55), 55, curls=OPEN)),
    (_raised((.10, -.28, .52), -30, curls=OPEN), _raised((-.34, .02, .55), -10, curls=POINT)),
    (_raised((-.26, -.34, .46), 60, 20, curls=OPEN), _raised((-.30, -.05, .46), 20, -20, curls=FIST)),
    (_raised((-.26, -.34, .46), 60, 10, curls=OPEN), _raised((-.22, -.24, .50), 40, 10, curls=FIST)),
    (_raised((.12, .02, .50), -40, -10, curls=OPEN), _raised((.12, .02, .50), -40, -10, curls=OPEN)),
    (_raised((-.18, -.30, .56), 10, 15, curls=POINT), _raised((-.42, .22, .36), -20, curls=POINT)),
    (_raised((-.30, -.42, .50), 30, curls=RELAXED), _raised((-.30, -.42, .50), 30, curls=RELAXED)))


def sign(time):
    """Hands travel through stations before the chest, holding each for a moment."""
    at = np.clip(time, 0, 1) * (len(SIGNS) - 1)
    first = min(int(at), len(SIGNS) - 2)
    share = _eased(np.clip((at - first) * 1.5 - .25, 0, 1))
    beat, slow = 2 * np.pi * 1.5 * time, 2 * np.pi * time
    nod = np.array([3 + 3 * np.sin(beat), 8 * np.sin(slow), 2 * np.cos(beat)])
    return _standing(blend(SIGNS[first], SIGNS[first + 1], share), SIGNING, yaw=6., head=nod,
                     spine=np.array([2., 2 * np.sin(slow), 0]))


def _eased(share):
    return share * share * (3 - 2 * share)


MOTIONS = {"wave": (wave, 0), "turn": (turn, 0), "sign": (sign, 2)}
"""Motion by name, and the number of the shot (see `camera.SHOTS`) that suits it."""
