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

# MIRRORED[k] is the joint that takes joint k's place when left and right change sides.
MIRRORED = [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16]

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
    """Keypoints [..., 18, 3] in pixels of the picture turned left to right. Absent joints stay absent."""
    there = present(keypoints)
    turned = keypoints.clone()
    turned[..., 0] = width - keypoints[..., 0]
    turned[..., 2] = keypoints[..., 2] * there
    return turned[..., MIRRORED, :]
