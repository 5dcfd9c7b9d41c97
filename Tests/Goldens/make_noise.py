"""Writes noise.json: Gaussian noise as the model specification defines it, for the tests of PosedSolvers.

Usage: python make_noise.py [noise.json]
"""

import json
import pathlib
import sys

import numpy as np

MASK = np.uint64(0xFFFFFFFF)


def philox(seed, blocks):
    """Philox 4x32-10: [blocks, 4] words for the counters 0, 1, ..."""
    low, high = np.uint64(32), np.uint64(32)
    index = np.arange(blocks, dtype=np.uint64)
    x = [index & MASK, index >> high, np.zeros_like(index), np.zeros_like(index)]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a = x[0] * np.uint64(0xD2511F53)
        b = x[2] * np.uint64(0xCD9E8D57)
        k0, k1 = np.uint64(key[0]), np.uint64(key[1])
        x = [(b >> low) ^ x[1] ^ k0, b & MASK, (a >> low) ^ x[3] ^ k1, a & MASK]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(x, axis=1)


def noise(seed, count):
    """The first `count` standard normal numbers of a seed, as float32."""
    u = (philox(seed, (count + 3) // 4).astype(np.float64) + 0.5) * 2.0**-32
    radius = np.sqrt(-2.0 * np.log(u[:, [0, 0, 2, 2]]))
    angle = 2.0 * np.pi * u[:, [1, 1, 3, 3]]
    turn = np.where(np.arange(4) % 2 == 0, np.cos(angle), np.sin(angle))
    return (radius * turn).ravel()[:count].astype(np.float32)


def main():
    cases = []
    for seed, count in [(0, 16), (7, 30), (2**32, 9), (0x0123456789ABCDEF, 16), (2**64 - 1, 5)]:
        cases.append(
            {"seed": str(seed), "values": [float(value) for value in noise(seed, count)]}
        )
    whole = noise(7, 4 * 64 * 64).astype(np.float64)
    summary = {"seed": "7", "count": whole.size, "sum": whole.sum(), "squares": (whole**2).sum()}
    path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "noise.json")
    path.write_text(json.dumps({"cases": cases, "summary": summary}, indent=1) + "\n")


if __name__ == "__main__":
    main()
