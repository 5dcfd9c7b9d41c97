"""Poses as plain numbers that blend, and the joints' rotations that they stand for."""

from dataclasses import dataclass, fields, replace

import numpy as np

from .rotations import X, Y, Z, about, between, cross, frame, from_vector, twist_angle, unit

SIDES = (("L", 1), ("R", -1))
STANDING, WALKING, SEATED, SIGNING = range(4)
KINDS = ("standing", "walking", "seated", "signing")


@dataclass
class Arm:
    """Where a wrist is: `reach` from the shoulder in arm lengths (x outward), `elbow` the side it bends to (x
    outward); `turn` of the forearm, `flex` and `sway` of the wrist, `curls` of thumb to little finger, `spread`,
    all in degrees."""

    reach: np.ndarray
    elbow: np.ndarray
    turn: float = 0.0
    flex: float = 0.0
    sway: float = 0.0
    curls: np.ndarray = None
    spread: float = 2.0


@dataclass
class Leg:
    """Degrees: thigh forward and outward, knee, turn of the thigh outward, foot up (None: flat) and outward."""

    forward: float = 0.0
    outward: float = 0.0
    knee: float = 0.0
    turn: float = 5.0
    foot: float = 0.0
    toes: float = 3.0


@dataclass
class Pose:
    """A pose of any body. `yaw` 0 faces the camera; spine and head are (nod, turn, tilt) in degrees."""

    yaw: float
    tilt: float
    lean: float
    spine: np.ndarray
    head: np.ndarray
    legs: tuple
    arms: tuple
    kind: int = STANDING


def blend(a, b, share):
    """Between two poses, their arms, or any of their numbers."""
    if isinstance(a, tuple):
        return tuple(blend(x, y, share) for x, y in zip(a, b))
    if isinstance(a, (Pose, Arm, Leg)):
        values = {field.name: blend(getattr(a, field.name), getattr(b, field.name), share)
                  for field in fields(a) if field.name != "kind"}
        return replace(a, **values)
    return a * (1 - share) + b * share


class Poser:
    """Turns poses into joint rotations of one body."""

    def __init__(self, model, joints):
        self.bone, self.joints = model.bone, joints
        self._palms = {side: self._palm(side) for side, _ in SIDES}

    def joint(self, name):
        """Where a bone starts at rest."""
        return self.joints[self.bone[name]]

    def arm_lengths(self, side):
        """Lengths of upper arm and forearm."""
        shoulder, elbow, wrist = (self.joint(f"{name}.{side}") for name in ("upperarm01", "lowerarm01", "wrist"))
        return np.linalg.norm(elbow - shoulder), np.linalg.norm(wrist - elbow)

    def turns(self, pose):
        """(rotations by bone number, the root's rotation) for `BodyModel.pose`."""
        turns = {}
        root = about(Y, pose.yaw) @ about(Z, pose.tilt) @ about(X, pose.lean)
        bend = from_vector(pose.spine / 5)
        for level in "54321":
            turns[self.bone[f"spine0{level}"]] = bend
        for name, share in zip(("neck01", "neck02", "neck03", "head"), (.2, .2, .25, .35)):
            turns[self.bone[name]] = from_vector(pose.head * share)
        for (side, sign), leg, arm in zip(SIDES, pose.legs, pose.arms):
            self._leg(turns, side, sign, leg, pose)
            self._arm(turns, side, sign, arm)
            self._hand(turns, side, sign, arm)
        return turns, root

    def _leg(self, turns, side, sign, leg, pose):
        thigh, shin = self.joint(f"upperleg01.{side}"), self.joint(f"lowerleg01.{side}")
        rest = unit(shin - thigh)
        aim = about(Z, sign * leg.outward - pose.tilt) @ about(X, -leg.forward - pose.lean) @ -Y
        turns[self.bone[f"upperleg01.{side}"]] = between(rest, aim) @ about(rest, -sign * leg.turn)
        turns[self.bone[f"lowerleg01.{side}"]] = about(X, leg.knee)
        flat = np.clip(leg.forward - leg.knee + leg.foot, -40, 25)
        turns[self.bone[f"foot.{side}"]] = about(X, flat) @ about(Y, sign * leg.toes)

    def _arm(self, turns, side, sign, arm):
        names = ("clavicle", "upperarm01", "upperarm02", "lowerarm01", "lowerarm02", "wrist")
        clavicle, upper, upper2, lower, lower2, hand = (self.bone[f"{name}.{side}"] for name in names)
        shoulder, elbow, wrist = self.joints[upper], self.joints[lower], self.joints[hand]
        first, second = self.arm_lengths(side)
        rest_upper, rest_lower = unit(elbow - shoulder), unit(wrist - elbow)
        rest_axis = unit(cross(rest_upper, rest_lower))
        rest_bend = np.degrees(np.arccos(np.clip(rest_upper @ rest_lower, -1, 1)))
        aim, axis, bend = _two_bones(arm, sign, first, second)
        lift = np.clip((np.degrees(np.arcsin(np.clip(aim[1], -1, 1))) + 35) * .18, 0, 20)
        raised = about(Z, sign * lift) @ about(Y, -sign * np.clip(aim[2] * 10, -6, 10))
        turns[clavicle] = raised
        turn = raised.T @ (frame(aim, axis) @ frame(rest_upper, rest_axis).T)
        twist = twist_angle(turn, rest_upper)
        turns[upper] = turn @ about(rest_upper, -twist * .65)
        turns[upper2] = about(rest_upper, twist * .65)
        around = arm.turn * sign
        turns[lower] = about(rest_axis, bend - rest_bend) @ about(rest_lower, around * .2)
        turns[lower2] = about(rest_lower, around * .45)
        palm = self._palms[side]
        bent = about(unit(cross(rest_lower, palm)), arm.flex) @ about(palm, arm.sway)
        turns[hand] = about(rest_lower, around * .35) @ bent

    def _palm(self, side):
        wrist = self.joint(f"wrist.{side}")
        palm = unit(cross(self.joint(f"finger2-1.{side}") - wrist, self.joint(f"finger5-1.{side}") - wrist))
        return palm if palm[1] < 0 else -palm

    def _hand(self, turns, side, sign, arm):
        palm = self._palms[side]
        for finger in range(1, 6):
            joints = [self.joint(f"finger{finger}-{k}.{side}") for k in (1, 2, 3)]
            along = [joints[1] - joints[0], joints[2] - joints[1], joints[2] - joints[1]]
            curl = arm.curls[finger - 1] * (.35 if finger == 1 else 1)
            for k in range(3):
                turn = about(unit(cross(unit(along[k]), palm)), curl * (.9 if k == 0 else 1.05))
                if k == 0 and finger > 1:
                    turn = turn @ about(palm, (finger - 3.2) * arm.spread * sign)
                turns[self.bone[f"finger{finger}-{k + 1}.{side}"]] = turn


def _two_bones(arm, sign, first, second):
    """Direction of the upper arm, axis of the elbow and its bend in degrees that bring the wrist to its place."""
    out = np.array([sign, 1, 1])
    length = first + second
    to = arm.reach * out * length
    distance = np.linalg.norm(to)
    to = to / max(distance, 1e-6)
    distance = np.clip(distance, .36 * length, .995 * length)
    opening = np.arccos(np.clip((first ** 2 + distance ** 2 - second ** 2) / (2 * first * distance), -1, 1))
    side = arm.elbow * out
    side = unit(side - to * (side @ to))
    aim = np.cos(opening) * to + np.sin(opening) * side
    bend = np.degrees(np.arccos(np.clip((distance ** 2 - first ** 2 - second ** 2) / (2 * first * second), -1, 1)))
    return aim, unit(cross(aim, unit(to * distance - aim * first))), bend
