"""One person before the camera: dresses, poses, photographs."""

from dataclasses import dataclass

import numpy as np

from . import assets, landmarks, parts
from .body import BodyModel
from .camera import SHOT_SHARES, SHOTS, Camera, fixed_camera, sample_camera
from .collisions import Collisions
from .colors import hsv, linear
from .dressing import Dresser
from .identity import generator, sample_identity
from .landmarks import Landmarks, confidences
from .meshes import build
from .posing import SEATED, Poser
from .postures import sample_pose
from .renderer import Renderer
from .rotations import Y, cross, unit
from .scene import sample_scene
from .signing import CALM, SECONDS, Performance

GOOD_DEPTH, TRIES = .012, 6
SAME_SHOT = .6
"""How often a picture of a person takes in as much as its others, so that pairs show the same parts."""

SIGNING_STREAM = 1 << 20
"""The stream of an identity's random numbers that its signing takes; see `identity.generator`."""

SURFACE_CELLS = 32
"""The side of a picture's map of places on the person."""

_opened = {}


@dataclass
class Shot:
    """A picture and what is known of it; arrays as the shards hold them."""

    picture: np.ndarray
    parts: np.ndarray
    keypoints: np.ndarray
    hands: np.ndarray
    face: np.ndarray
    kind: int
    shot: int
    yaw: float
    camera: np.ndarray
    surface: np.ndarray

    @property
    def mask(self):
        """Where the person is."""
        return parts.person(self.parts)


class Studio:
    """All that pictures need: the body model, its layers, the renderer."""

    def __init__(self, size=256, samples=2, cache=None):
        self.size = size
        self.model = BodyModel(assets.load(cache))
        self.meshes = build(self.model)
        self.dresser = Dresser(self.model, self.meshes)
        self.landmarks = Landmarks(self.model)
        self.collisions = Collisions(self.model)
        self.renderer = Renderer(self.meshes, size, samples)

    def person(self, split, seed, number):
        """An identity of a split in its scene, ready for `Sitting.shoot`."""
        identity = sample_identity(generator(split, seed, number), number, self.model.assets.local_changes)
        rng = generator(split, seed, number, 1)
        scene = sample_scene(rng, self.size)
        return Sitting(self, self.dresser.dress(identity), scene, int(rng.choice(len(SHOTS), p=SHOT_SHARES)))

    def shots(self, split, seed, number, count, signing=0.):
        """`count` pictures of one identity in the same clothes, light and background.

        Of the identities, a share `signing` signs before a fixed camera.
        """
        sitting = self.person(split, seed, number)
        rng = generator(split, seed, number, SIGNING_STREAM)
        if rng.random() < signing:
            yield from sitting.sign(rng, count)
            return
        for pose in range(count):
            yield sitting.shoot(generator(split, seed, number, 2 + pose))


def shared_studio(size):
    """The studio of this process, opened once: that takes longer than many pictures."""
    if size not in _opened:
        _opened[size] = Studio(size)
    return _opened[size]


class Sitting:
    """One dressed person in one scene, mostly photographed in one `usual_shot` (a number in SHOTS)."""

    def __init__(self, studio, dressed, scene, usual_shot):
        self.studio, self.dressed, self.scene, self.usual_shot = studio, dressed, scene, usual_shot
        self.poser = Poser(studio.model, dressed.body.joints)
        studio.renderer.wear(dressed)
        studio.renderer.set_background(scene.background)

    @property
    def stride(self):
        """How far legs may part, 0 … 1: less in narrow or long skirts."""
        outfit = self.dressed.identity.outfit
        if outfit.skirt is None:
            return 1.0
        hem, width = outfit.skirt[1], outfit.looseness["skirt"]
        return float(np.clip(.75 + .1 * (hem + 3.5) + width, .2, 1))

    def shoot(self, rng, kind=None, shot=None):
        """A picture in a pose and from a camera drawn by `rng`."""
        if shot is None and rng.random() < SAME_SHOT:
            shot = self.usual_shot
        pose, skeleton, found = self.stand(self._good_pose(rng, kind))
        camera = sample_camera(rng, found, shot)
        furniture = _seat(rng, found) if pose.kind == SEATED else None
        return self.photograph(pose, skeleton, found, camera, furniture)

    def sign(self, rng, count, rate=None):
        """`count` pictures of the person signing before one fixed camera: a film of `rate` pictures a second, or
        pictures at times of chance. Mostly the first shows the hands at rest."""
        performance = Performance(rng, self.poser, lambda pose: self._depth(pose) < GOOD_DEPTH)
        times = rng.uniform(0, SECONDS, count) if rate is None else np.arange(count) / rate
        if rng.random() < .6:
            times[:1] = performance.rest
        placed = [self.stand(performance.at(time)[0]) for time in times]
        # The feet stay: what moves is above them.
        camera = fixed_camera(rng, self.stand(performance.at(performance.rest)[0])[2])
        for time, (pose, skeleton, found) in zip(times, placed):
            hips = found.body[[8, 11]].mean(0) * np.array([1, 0, 1])
            yield self.photograph(pose, skeleton.moved(-hips), found.moved(-hips), camera, mood=performance.at(time)[1])

    def _depth(self, pose):
        """How deep the arms of a pose are in the body, in metres."""
        turns, root = self.poser.turns(pose)
        skeleton = self.studio.model.pose(self.dressed.body.joints, turns, root)
        return self.studio.collisions.depth(self.dressed.body, skeleton)

    def _good_pose(self, rng, kind):
        """The first drawn pose in which arms stay out of the body, else the best of some."""
        best = None
        for _ in range(TRIES):
            pose = sample_pose(rng, self.poser, self.stride, kind)
            depth = self._depth(pose)
            if best is None or depth < best[0]:
                best = depth, pose
            if depth < GOOD_DEPTH:
                break
        return best[1]

    def stand(self, pose):
        """(pose, bones, keypoints) with the lowest foot on the floor at the origin."""
        turns, root = self.poser.turns(pose)
        skeleton = self.studio.model.pose(self.dressed.body.joints, turns, root)
        found = self.studio.landmarks.find(self.dressed.body, skeleton)
        shift = np.array([-found.body[:, 0].mean(), -found.feet[:, 1].min() + .012, -found.body[:, 2].mean()])
        return pose, skeleton.moved(shift), found.moved(shift)

    def photograph(self, pose, skeleton, found, camera: Camera, furniture=None, mood=CALM):
        """The `Shot` of a placed pose."""
        size = self.studio.size
        picture, part_map, depth, surface = self.studio.renderer.draw(
            skeleton, camera, self.scene.light, furniture, mood)
        pixels, distances = camera.project(found.body, size)
        confidence = confidences(pixels, distances, depth.at(pixels), size)

        def seen(points, reach, otherwise):
            """[n, 3]: points of the world in the picture, and what a detector makes of those that are hidden."""
            places, away = camera.project(points, size)
            inside = ((places >= 0) & (places < size)).all(1)
            visible = np.where(away - depth.at(places) < reach, landmarks.VISIBLE, otherwise)
            return np.column_stack([places, np.where(inside, visible, landmarks.ABSENT)]).astype(np.float32)

        hands = seen(found.hands.reshape(-1, 3), landmarks.HAND_DEPTH, landmarks.HIDDEN).reshape(2, 21, 3)
        face = seen(self.studio.landmarks.face(self.dressed.body, skeleton, mood), landmarks.FACE_DEPTH, landmarks.ABSENT)
        yaw = (pose.yaw + 180) % 360 - 180
        return Shot(picture, part_map, np.column_stack([pixels, confidence]).astype(np.float32), hands, face, pose.kind,
                    camera.shot, float(yaw), camera.to_pixels(size).astype(np.float32), surface.cells(SURFACE_CELLS))


def _seat(rng, found):
    """(vertices (n, 6), linear colour) of a box or chair below a seated person."""
    hips, knees = found.body[[8, 11]].mean(0), found.body[[9, 12]].mean(0)
    forward = unit((knees - hips) * np.array([1, 0, 1]))
    right = cross(Y, forward)
    width, top = rng.uniform(.2, .3), max(.2, hips[1] - .135)
    base = np.array([hips[0], 0, hips[2]])
    boxes = [(-.22, .26, 0, top, width)]
    if rng.random() < .4:
        boxes = [(-.22, .24, top - .06, top, width), (-.22, -.18, 0, top, width), (.2, .24, 0, top, width)]
        if rng.random() < .6:
            boxes.append((-.27, -.23, 0, top + rng.uniform(.25, .5), width))
    vertices = [_box(base, forward, right, *box) for box in boxes]
    return np.concatenate(vertices), linear(hsv(rng.random(), rng.uniform(0, .5), rng.uniform(.15, .9)))


def _box(base, forward, right, back, front, low, high, width):
    """36 vertices: position, normal."""
    axes, centre = (forward, Y, right), base + forward * (back + front) / 2 + Y * (low + high) / 2
    half = np.array([(front - back) / 2, (high - low) / 2, width])
    corners = []
    for axis in range(3):
        u, v = (axes[(axis + 1) % 3] * half[(axis + 1) % 3], axes[(axis + 2) % 3] * half[(axis + 2) % 3])
        for sign in (1, -1):
            middle = centre + axes[axis] * half[axis] * sign
            square = [middle - u - v, middle + u - v, middle + u + v, middle - u + v]
            corners += [[*square[i], *(axes[axis] * sign)] for i in (0, 1, 2, 0, 2, 3)]
    return np.array(corners)
