"""Signing before a fixed camera: hands that travel through signs, fingers, mouth, eyes and brows that take part.

A `Performance` is a function of time in seconds, smooth in all of its numbers, so that pictures of it make a film as
well as a set.
"""

from dataclasses import dataclass, replace

import numpy as np

from .posing import SIDES, SIGNING, Arm, Leg, Pose, blend
from .postures import sample_arm, sample_arms

REST_SHARE = .06
"""How often the hands go down between signs."""
SECONDS = 12.
"""How long a performance is; it repeats after."""
HOLD = .35
"""The part of the way between two signs in which the hands stand still."""


@dataclass
class Mood:
    """What a face does: `mouth` 0 … 1 open, `narrow` 0 … 1 rounded, `brows` raised in decimetres, `lids` 0 … 1 closed."""

    mouth: float = 0.
    narrow: float = 0.
    brows: float = 0.
    lids: float = 0.


CALM = Mood()


class _Wave:
    """A smooth function of time between −1 and 1, mostly."""

    def __init__(self, rng, slowest, fastest):
        self._rates = rng.uniform(slowest, fastest, 3)
        self._phases = rng.uniform(0, 2 * np.pi, 3)

    def __call__(self, time):
        return float(np.sin(2 * np.pi * self._rates * time + self._phases).mean() * 1.5)


class Performance:
    """One person's signing: a `Pose` and a `Mood` at any time."""

    def __init__(self, rng, poser, good=lambda pose: True):
        """`good` says of a pose whether its arms stay out of the body; those that do not are drawn anew, some times."""
        self._stance = _stance(rng)
        rests = _rest(rng, poser)
        self._stations, self._ends, end = [rests], [0.], 0.
        while end < SECONDS:
            end += rng.uniform(.25, .7)
            self._stations.append(rests if rng.random() < REST_SHARE else self._sign(rng, poser, good))
            self._ends.append(end)
        self._waves = {name: _Wave(rng, *rates) for name, rates in (
            ("mouth", (1.5, 4.)), ("narrow", (.8, 2.)), ("brows", (.2, .7)), ("nod", (.3, 1.2)), ("turn", (.15, .6)),
            ("tilt", (.15, .6)), ("sway", (.1, .3)), ("lean", (.1, .3)))}
        self._fingers = [[_Wave(rng, .5, 2.) for _ in range(5)] for _ in SIDES]
        self._blinks = np.cumsum(rng.uniform(1.2, 4., 10))
        self._mouthing = rng.uniform(.2, 1.)

    def _sign(self, rng, poser, good):
        for _ in range(4):
            arms = sample_arms(rng, SIGNING, poser)
            if rng.random() < .3:
                arms = (arms[0], arms[0])
            if good(replace(self._stance, arms=arms)):
                break
        return arms

    @property
    def rest(self):
        """A time at which the hands are down."""
        return 0.

    def at(self, time):
        """(pose, mood) at a time in seconds."""
        wave = {name: function(time) for name, function in self._waves.items()}
        time = time % self._ends[-1]
        number = int(np.clip(np.searchsorted(self._ends, time, "right") - 1, 0, len(self._ends) - 2))
        start, end = self._ends[number], self._ends[number + 1]
        share = np.clip((time - start) / (end - start) / (1 - HOLD), 0, 1)
        share = share * share * (3 - 2 * share)
        arms = blend(self._stations[number], self._stations[number + 1], share)
        arms = tuple(replace(arm, curls=arm.curls + 7 * np.array([finger(time) for finger in fingers]))
                     for arm, fingers in zip(arms, self._fingers))
        stance = self._stance
        pose = replace(
            stance, arms=arms, yaw=stance.yaw + 2 * wave["sway"], lean=stance.lean + wave["lean"],
            head=stance.head + np.array([5 * wave["nod"], 9 * wave["turn"], 3 * wave["tilt"]]),
            spine=stance.spine + np.array([wave["lean"], 2 * wave["sway"], 0]))
        blink = np.abs(time - self._blinks).min() / .09
        mood = Mood(
            mouth=float(np.clip(self._mouthing * wave["mouth"], 0, 1)), narrow=float(np.clip(wave["narrow"], 0, 1)),
            brows=float(.05 * wave["brows"] + .015), lids=float(np.clip(1.3 - blink, 0, 1)))
        return pose, mood


def _stance(rng):
    """How the person stands all along, without arms."""
    normal = rng.normal
    legs = tuple(Leg(normal(2, 3), normal(0, 3), abs(normal(0, 4)), rng.uniform(0, 12)) for _ in SIDES)
    return Pose(yaw=normal(0, 9), tilt=normal(0, 1), lean=normal(0, 1.5), spine=np.array([normal(1, 2), normal(0, 3), 0]),
                head=np.array([normal(2, 4), normal(0, 5), normal(0, 2)]), legs=legs, arms=(), kind=SIGNING)


def _rest(rng, poser) -> tuple[Arm, Arm]:
    """Both arms down, or the hands together before the waist."""
    mode = "clasp" if rng.random() < .4 else "hang"
    return tuple(sample_arm(rng, poser, *SIDES[number], mode, number) for number in range(2))
