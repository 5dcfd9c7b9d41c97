"""COCO-18 joints as OpenPose orders them, the limbs between them, and their colours."""

# Pairs of joints counted from 1, in drawing order.
LIMBS = [
    (2, 3), (2, 6), (3, 4), (4, 5), (6, 7), (7, 8), (2, 9), (9, 10), (10, 11), (2, 12), (12, 13),
    (13, 14), (2, 1), (1, 15), (15, 17), (1, 16), (16, 18),
]

# RGB of limb k and of joint k alike.
COLOURS = [
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
    (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
    (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
]

BODY, HAND, FACE = 18, 21, 70
POINTS = BODY + 2 * HAND + FACE
"""All points of a person in one array: the body's joints, the left hand's, the right hand's, the face's."""


def _mirrored():
    body = [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16]
    left, right, face = BODY, BODY + HAND, BODY + 2 * HAND
    hands = [*range(right, right + HAND), *range(left, left + HAND)]
    # Of the face: jaw, brows, bridge and tip of the nose, eyes, lips outside and inside, pupils.
    places = [16 - k for k in range(17)] + [43 - k for k in range(17, 27)] + [27, 28, 29, 30] \
        + [66 - k for k in range(31, 36)] + [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40] \
        + [54 - k for k in range(7)] + [59, 58, 57, 56, 55] + [64, 63, 62, 61, 60, 67, 66, 65] + [69, 68]
    return body + hands + [face + k for k in places]


# MIRRORED[k] is the point that takes point k's place when left and right change sides.
MIRRORED = _mirrored()

THRESHOLD = 0.05
"""A joint of less confidence is absent."""


# The 20 bones of a hand, pairs of joints counted from 0: for each finger from the wrist to its first joint, then along.
BONES = [(0 if bone % 4 == 0 else bone, bone + 1) for bone in range(20)]

# RGB of the fingers from thumb to little finger, of the left hand and of the right one.
FINGERS = [
    [(255, 64, 64), (255, 192, 64), (128, 255, 64), (64, 255, 192), (64, 160, 255)],
    [(255, 160, 160), (255, 232, 160), (192, 255, 160), (160, 255, 232), (160, 208, 255)],
]


def present(keypoints):
    """Which joints of [..., 3] are there: confident, and not at exactly (-1, -1)."""
    x, y, confidence = keypoints.unbind(-1)
    return (confidence >= THRESHOLD) & ~((x == -1) & (y == -1))


def mirror(keypoints, width):
    """Points [..., n, 3], the body's 18 or all, in pixels of the picture turned left to right. Absent ones stay absent."""
    there = present(keypoints)
    turned = keypoints.clone()
    turned[..., 0] = width - keypoints[..., 0]
    turned[..., 2] = keypoints[..., 2] * there
    return turned[..., MIRRORED[:keypoints.shape[-2]], :]
