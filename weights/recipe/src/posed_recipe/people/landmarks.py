"""Keypoints: OpenPose's 18 of the body, 21 of each hand and 70 of the face, from joints of the rig and points of the skin."""

import numpy as np
from scipy.spatial import cKDTree

from .body import DECIMETRE

NAMES = ("nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow", "left wrist",
         "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle", "right eye", "left eye",
         "right ear", "left ear")
LIMBS = ((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
         (0, 14), (14, 16), (0, 15), (15, 17))
HEAD = (0, 14, 15, 16, 17)
"""Those that a detector does not see when they are turned away."""

VISIBLE, HIDDEN, ABSENT = 1.0, 0.5, 0.0
_JOINTS = {2: "upperarm01.R", 3: "lowerarm01.R", 4: "wrist.R", 5: "upperarm01.L", 6: "lowerarm01.L", 7: "wrist.L",
           8: "upperleg01.R", 9: "lowerleg01.R", 10: "foot.R", 11: "upperleg01.L", 12: "lowerleg01.L", 13: "foot.L"}
# How deep below the visible surface, in metres, a keypoint may lie and still count as seen, clothes included.
_DEPTHS = np.array([.05, .14, .15, .11, .08, .15, .11, .08, .21, .14, .11, .21, .14, .11, .04, .04, .045, .045])
HAND_DEPTH, FACE_DEPTH = .035, .02
_JAW = ((.80, 7.15), (.80, 6.95), (.77, 6.75), (.72, 6.57), (.63, 6.40), (.50, 6.27), (.34, 6.17), (.17, 6.11))


class Landmarks:
    """Finds keypoints on posed bodies."""

    def __init__(self, model):
        self.model = model
        template = model.template
        surface = np.unique(model.assets.quads["body"])

        def nearest(point):
            return int(surface[np.argmin(np.linalg.norm(template[surface] - np.asarray(point), axis=1))])

        skin = {0: nearest([0, 6.91, 1.69]), 16: nearest([-.80, 7.15, .50]), 17: nearest([.80, 7.15, .50])}
        eyes = {14: model.assets.quads["helper-r-eye"], 15: model.assets.quads["helper-l-eye"]}
        for number, quads in eyes.items():
            corners = np.unique(quads)
            skin[number] = int(corners[np.argmax(template[corners, 2])])
        feet = [nearest(point) for x in (1, -1) for point in ([x * 2.2, -8.0, -.3], [x * 2.4, -8.0, 1.3])]
        top = nearest([0, 8.49, .2])
        tips = [self._tip(surface, side, finger) for side in "LR" for finger in range(1, 6)]
        self._body = list(_JOINTS)
        self._bones = [model.bone[name] for name in _JOINTS.values()]
        self._head = list(skin)
        self._skin = np.array([*skin.values(), *feet, top, *tips])
        fingers = [f"finger{finger}-{k}" for finger in range(1, 6) for k in (1, 2, 3)]
        front = surface[(template[surface, 2] > .4) & (template[surface, 1] > 5.9) & (template[surface, 1] < 8)]
        self._front, self._face_tree = front, cKDTree(template[front] * np.array([1, 1, .15]))
        self._hands = [[model.bone[f"{name}.{side}"] for name in ("wrist", *fingers)] for side in "LR"]

    def find(self, body, skeleton):
        """`Found` in the world, metres."""
        on_skin, _ = self.model.skin(body.vertices[self._skin], skeleton, self._skin)
        points = np.empty((18, 3))
        points[self._body] = skeleton.joints[self._bones]
        points[self._head] = on_skin[:5]
        points[1] = (points[2] + points[5]) / 2
        hands = np.empty((2, 21, 3))
        for hand, bones in enumerate(self._hands):
            joints, tips = skeleton.joints[bones], on_skin[10 + 5 * hand:15 + 5 * hand]
            hands[hand, 0] = joints[0]
            for finger in range(5):
                hands[hand, 1 + 4 * finger:4 + 4 * finger] = joints[1 + 3 * finger:4 + 3 * finger]
                hands[hand, 4 + 4 * finger] = tips[finger]
        return Found(points, hands, on_skin[9], on_skin[5:9])

    def face(self, body, skeleton, mood):
        """OpenPose's 70 points of a face that does what `mood` says: (70, 3) in the world, metres."""
        places = face_places(mood)
        depth = np.full((len(places), 1), 1.5 * .15)  # of several vertices in line, the foremost
        vertices = self._front[self._face_tree.query(np.concatenate([places, depth], 1))[1]]
        return self.model.skin(body.vertices[vertices], skeleton, vertices)[0]

    def _tip(self, surface, side, finger):
        """The vertex farthest along a finger's last bone."""
        assets, template = self.model.assets, self.model.template
        bone = self.model.bone[f"finger{finger}-3.{side}"]
        start, end = assets.joints[bone] * DECIMETRE, assets.tails[bone] * DECIMETRE
        along = (end - start) / np.linalg.norm(end - start)
        out = template[surface] - start
        reach = out @ along
        near = np.linalg.norm(out - reach[:, None] * along, axis=1) < .15
        return int(surface[np.argmax(np.where(near, np.minimum(reach, .8) - 10 * (reach > .8), -9))])


class Found:
    """`body` (18, 3), `hands` (2, 21, 3) left then right, `crown` (3,) and `feet` (4, 3) in the world."""

    def __init__(self, body, hands, crown, feet):
        self.body, self.hands, self.crown, self.feet = body, hands, crown, feet

    def moved(self, shift):
        """The same, shifted."""
        return Found(self.body + shift, self.hands + shift, self.crown + shift, self.feet + shift)


def confidences(pixels, distances, surface, size):
    """How a detector would see keypoints: VISIBLE, HIDDEN by the body, or ABSENT.

    `pixels` (18, 2), `distances` (18,) from the camera in metres; `surface` (18,) how far the first thing is
    that the camera sees there.
    """
    inside = ((pixels >= 0) & (pixels < size)).all(1)
    seen = distances - surface < _DEPTHS
    confidence = np.where(seen, VISIBLE, HIDDEN)
    confidence[[k for k in HEAD if not seen[k]]] = ABSENT
    return np.where(inside, confidence, ABSENT)


def face_places(mood):
    """(70, 2): where the points of a face lie on the template, in decimetres; right to left as OpenPose orders them."""
    jaw = [(-x, y) for x, y in _JAW] + [(0, 6.09)] + [(x, y) for x, y in _JAW[::-1]]
    brow = [(x, 7.505 + mood.brows + .035 - 1.1 * (x - .32) ** 2 + .10 * (x - .32)) for x in (.52, .42, .32, .22, .12)]
    nose = [(0, 7.28), (0, 7.16), (0, 7.04), (0, 6.93)] + [(x, 6.85) for x in (-.14, -.07, 0, .07, .14)]
    upper, lower = 7.285 + .055 * (1 - mood.lids), 7.245
    eye = [(.43, 7.285), (.36, upper), (.26, upper), (.20, 7.285), (.26, lower), (.36, lower)]
    left_eye = [eye[k] for k in (3, 2, 1, 0, 5, 4)]
    width = .255 * (1 - .35 * mood.narrow)

    def lip(share, height):
        opened = mood.mouth * max(0., 1 - share * share)
        return share * width, 6.612 + {"upper": .05 * opened + .11 * (1 - abs(share) ** 2.2), "rise": .05 * opened,
                                       "drop": -.12 * opened,
                                       "lower": -.12 * opened - .12 * (1 - abs(share) ** 3)}[height]

    outer = [lip(share, "upper") for share in (-1, -.66, -.33, 0, .33, .66, 1)] \
        + [lip(share, "lower") for share in (.66, .33, 0, -.33, -.66)]
    inner = [lip(share, "rise") for share in (-.9, -.45, 0, .45, .9)] + [lip(share, "drop") for share in (.45, 0, -.45)]
    mirrored = [(-x, y) for x, y in brow], [(-x, y) for x, y in eye]
    return np.array([*jaw, *mirrored[0], *brow[::-1], *nose, *mirrored[1], *left_eye, *outer, *inner,
                     (-.312, 7.285), (.312, 7.285)], float)
