"""Rotations in three dimensions as 3x3 matrices. Angles are degrees, axes are right-handed, y is up."""

import math

import numpy as np

X, Y, Z = np.eye(3)


def cross(a, b):
    """The cross product of two plain vectors; numpy's own costs ten times as much for a single pair."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def unit(v):
    """`v` (…, 3) brought to length one; a zero vector stays zero."""
    if v.ndim == 1:
        return v / max(math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]), 1e-9)
    return v / np.maximum(np.sqrt((v * v).sum(-1, keepdims=True)), 1e-9)


def about(axis, degrees):
    """The rotation by `degrees` about the unit vector `axis`."""
    x, y, z = axis
    angle = math.radians(degrees)
    s, c = math.sin(angle), math.cos(angle)
    d = 1 - c
    return np.array([
        [c + x * x * d, x * y * d - z * s, x * z * d + y * s],
        [x * y * d + z * s, c + y * y * d, y * z * d - x * s],
        [x * z * d - y * s, y * z * d + x * s, c + z * z * d]])


def from_vector(degrees):
    """The rotation whose axis is the direction of `degrees` and whose angle is its length."""
    v = np.asarray(degrees, float)
    angle = math.sqrt(v @ v)
    return np.eye(3) if angle < 1e-9 else about(v / angle, angle)


def between(a, b):
    """The shortest rotation that brings the direction `a` to the direction `b`."""
    a, b = unit(a), unit(b)
    axis = cross(a, b)
    sine = math.sqrt(axis @ axis)
    return np.eye(3) if sine < 1e-8 else about(axis / sine, math.degrees(math.atan2(sine, a @ b)))


def frame(direction, normal):
    """Columns: `direction`, `normal` made perpendicular to it, and their cross product."""
    u = unit(direction)
    n = unit(normal - u * (u @ normal))
    return np.stack([u, n, cross(u, n)], 1)


def twist_angle(rotation, axis):
    """How far, in degrees within ±180, `rotation` turns about the unit vector `axis`."""
    w = math.sqrt(max(0.0, 1 + np.trace(rotation))) / 2
    if w < 1e-6:
        return 0.0
    q = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0],
                  rotation[1, 0] - rotation[0, 1]]) / (4 * w)
    angle = math.degrees(2 * math.atan2(q @ axis, w))
    return (angle + 180) % 360 - 180
