"""The specified noise: Philox 4x32-10 and Box-Muller, equal on every machine."""

import numpy as np


def philox(seed, blocks):
    """Philox 4x32-10 of the counters 0 to blocks-1 under a 64-bit seed; gives uint32 [blocks, 4]."""
    mask = np.uint64(0xFFFFFFFF)
    index = np.arange(blocks, dtype=np.uint64)
    x = [index & mask, index >> np.uint64(32), np.zeros_like(index), np.zeros_like(index)]
    low, high = seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF
    for _ in range(10):
        product0 = x[0] * np.uint64(0xD2511F53)
        product1 = x[2] * np.uint64(0xCD9E8D57)
        x = [
            (product1 >> np.uint64(32)) ^ x[1] ^ np.uint64(low),
            product1 & mask,
            (product0 >> np.uint64(32)) ^ x[3] ^ np.uint64(high),
            product0 & mask,
        ]
        low, high = (low + 0x9E3779B9) & 0xFFFFFFFF, (high + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(x, axis=1).astype(np.uint32)


def noise(seed, shape):
    """Normal noise of `shape` ([C, h, w]) as float32, computed in double precision."""
    count = int(np.prod(shape))
    u = (philox(seed, (count + 3) // 4).astype(np.float64) + 0.5) * 2.0**-32
    normals = np.empty_like(u)
    for i in (0, 2):
        radius = np.sqrt(-2.0 * np.log(u[:, i]))
        normals[:, i] = radius * np.cos(2 * np.pi * u[:, i + 1])
        normals[:, i + 1] = radius * np.sin(2 * np.pi * u[:, i + 1])
    return normals.reshape(-1)[:count].reshape(shape).astype(np.float32)
