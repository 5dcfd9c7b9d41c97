"""Toy people of thick lines: a data set of the synthetic set's layout that takes no renderer."""

import io
import json
import math
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE = 256


def skeleton(random):
    """Keypoints [18, 3] of somebody who stands somewhere and moves arms and legs."""
    points = np.zeros((18, 3), np.float32)
    points[:, 2] = 1
    x, y, unit = random.uniform(90, 166), random.uniform(60, 80), random.uniform(22, 30)

    def put(joint, origin, angle, length):
        points[joint, :2] = origin + unit * length * np.array([math.cos(angle), math.sin(angle)])
        return points[joint, :2]

    neck = put(1, np.array([x, y]), 0, 0)
    nose = put(0, neck, -math.pi / 2 + random.uniform(-0.2, 0.2), 0.9)
    for side, (eye, ear) in ((-1, (14, 16)), (1, (15, 17))):
        put(eye, nose + [side * 0.2 * unit, -0.15 * unit], 0, 0)
        put(ear, nose + [side * 0.4 * unit, -0.05 * unit], 0, 0)
    for side, arm, leg in ((-1, (2, 3, 4), (8, 9, 10)), (1, (5, 6, 7), (11, 12, 13))):
        shoulder = put(arm[0], neck, 0, side * 0.8)
        elbow = put(arm[1], shoulder, math.pi / 2 - side * random.uniform(-0.2, 2.4), 1.2)
        put(arm[2], elbow, math.pi / 2 - side * random.uniform(-0.5, 3.0), 1.1)
        hip = put(leg[0], neck + [side * 0.5 * unit, 2.4 * unit], 0, 0)
        knee = put(leg[1], hip, math.pi / 2 - side * random.uniform(0, 0.5), 1.5)
        put(leg[2], knee, math.pi / 2 - side * random.uniform(-0.2, 0.3), 1.4)
    return points


def wardrobe(random):
    """Colours of somebody."""
    colours = random.integers(20, 236, (4, 3))
    return {
        "skin": tuple(int(v) for v in np.array([224, 172, 140]) * random.uniform(0.4, 1)),
        "top": tuple(map(int, colours[0])), "bottom": tuple(map(int, colours[1])),
        "hair": tuple(int(v) for v in colours[2] // 3), "ground": tuple(map(int, colours[3])),
    }


def paint(points, clothes):
    """uint8 [H, W, 3] and the person's mask."""
    picture = Image.new("RGB", (SIDE, SIDE), clothes["ground"])
    mask = Image.new("1", (SIDE, SIDE), 0)
    at = [tuple(map(float, p[:2])) for p in points]
    width = int(abs(at[2][0] - at[5][0]) * 0.35)
    for canvas, whole in ((ImageDraw.Draw(picture), None), (ImageDraw.Draw(mask), 1)):
        def line(a, b, colour, thick, canvas=canvas, whole=whole):
            canvas.line([at[a], at[b]], fill=whole or clothes[colour], width=thick)
            for x, y in (at[a], at[b]):
                r = thick / 2
                canvas.ellipse([x - r, y - r, x + r, y + r], fill=whole or clothes[colour])

        for a, b in ((8, 9), (9, 10), (11, 12), (12, 13)):
            line(a, b, "bottom", width)
        canvas.polygon([at[2], at[5], at[11], at[8]], fill=whole or clothes["top"])
        for a, b in ((2, 3), (5, 6), (2, 5)):
            line(a, b, "top", width)
        for a, b in ((3, 4), (6, 7), (0, 1)):
            line(a, b, "skin", width * 2 // 3)
        x, y = at[0]
        canvas.ellipse([x - width, y - width * 1.3, x + width, y + width * 0.9], fill=whole or clothes["hair"])
        canvas.ellipse([x - width * 0.7, y - width * 0.7, x + width * 0.7, y + width], fill=whole or clothes["skin"])
    return np.asarray(picture), np.asarray(mask)


def places(points, mask, cells=32):
    """uint8 [cells, cells, 4]: how far to the right and below the neck, in sixteenths of the shoulders' width."""
    middle = (np.arange(cells) + 0.5) * SIDE / cells
    unit = abs(points[5, 0] - points[2, 0]) / 16
    right, down = (np.clip(128 + (middle - points[1, axis]) / unit, 0, 255) for axis in (0, 1))
    found = np.zeros((cells, cells, 4), np.uint8)
    found[..., 0], found[..., 1], found[..., 2] = right[None], down[:, None], 128
    found[..., 3] = mask[middle.astype(int)[:, None], middle.astype(int)]
    return found


def make_shards(folder, identities, poses=4, shard=16, seed=0):
    """The synthetic set's layout."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, identities, shard)):
        spans, keypoints, identity, surface = [], [], [], []
        path = folder / f"shard-{number:05}.tar"
        with tarfile.open(path, "w") as tar:
            for person in range(start, min(start + shard, identities)):
                random = np.random.default_rng([seed, person])
                clothes = wardrobe(random)
                for pose in range(poses):
                    points = skeleton(random)
                    data = io.BytesIO()
                    picture, mask = paint(points, clothes)
                    Image.fromarray(picture).save(data, "JPEG", quality=95, subsampling=0)
                    surface.append(places(points, mask))
                    info = tarfile.TarInfo(f"{person:08}-{pose}.jpg")
                    info.size = len(data.getvalue())
                    spans.append((tar.offset + 512, info.size))
                    tar.addfile(info, io.BytesIO(data.getvalue()))
                    keypoints.append(points)
                    identity.append(person)
        np.savez(path.with_suffix(".npz"), picture=np.array(spans), keypoints=np.stack(keypoints),
                 identity=np.array(identity), surface=np.stack(surface))


def make_pairs(folder, count, seed=1000):
    """Held-out pairs as `posekit eval` reads them."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(count):
        random = np.random.default_rng([seed, number])
        clothes = wardrobe(random)
        entry = {}
        for what in ("source", "target"):
            points = skeleton(random)
            picture, mask = paint(points, clothes)
            entry[what] = f"{number:04}-{what}.png"
            Image.fromarray(picture).save(folder / entry[what])
        entry["mask"] = f"{number:04}-mask.png"
        Image.fromarray(mask).save(folder / entry["mask"])
        entry["keypoints"] = [[round(float(v), 3) for v in point] for point in points]
        lines.append(json.dumps(entry))
    (folder / "pairs.jsonl").write_text("\n".join(lines) + "\n")
