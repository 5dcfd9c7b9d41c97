"""Writes the goldens of PosedVision and PosedEvaluation to Tests/Goldens/vision/.

Needs numpy, pillow, scipy, scikit-image and transformers:

    python Tests/Goldens/make_vision.py

PNG files come from the small encoder below, since no library writes every kind; what they should
decode to follows from the samples in exact integer arithmetic. Resizes come from Pillow 13 (older
ones take the two passes in another order now and then), encoder inputs from transformers, SSIM from
scikit-image; the pose picture from a plain NumPy rendering of its definition.
"""

import base64
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import scipy.linalg
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

OUT = Path(__file__).parent / "vision"


def b64(data):
    return base64.b64encode(bytes(data)).decode()


def write(name, content):
    OUT.mkdir(exist_ok=True)
    (OUT / name).write_text(json.dumps(content, separators=(",", ":")) + "\n")


def fnv1a(data):
    """A 64-bit digest that the tests compute too, for pictures too large to keep."""
    value = 0xCBF29CE484222325
    for byte in bytes(data):
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def pattern(width, height, seed=0):
    """A picture that the tests can make too: [H, W, 3]."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    waves = x * (5 + c) + y * (9 - 2 * c) + ((x * y) >> 5) * (c + 1) + seed * 41
    grain = ((x * x * 31 + y * y * 17 + c * 101) >> 4) & 31
    return ((waves & 255) ^ grain).astype(np.uint8)


# PNG ---------------------------------------------------------------------------------------------

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]


def chunk(kind, data, crc=None):
    checksum = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def header(width, height, depth, kind, interlaced=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced))


SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = chunk(b"IEND", b"")


def packed_row(samples, depth):
    """One row of samples, [W, C], as the bytes of a scanline."""
    flat = samples.reshape(-1)
    if depth == 16:
        return flat.astype(">u2").tobytes()
    if depth == 8:
        return flat.astype(np.uint8).tobytes()
    bits = ((flat[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8)
    return np.packbits(bits.reshape(-1)).tobytes()


def filtered(rows, step):
    """Scanlines with the five filters in turn."""
    out, above = b"", None
    for number, row in enumerate(rows):
        kind = number % 5
        line = np.frombuffer(row, np.uint8).astype(int)
        up = line * 0 if above is None else np.frombuffer(above, np.uint8).astype(int)
        left = np.concatenate([np.zeros(step, int), line])[: len(line)]
        corner = np.concatenate([np.zeros(step, int), up])[: len(line)]
        guess = left + up - corner
        a, b, c = abs(guess - left), abs(guess - up), abs(guess - corner)
        paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
        prediction = [0 * line, left, up, (left + up) // 2, paeth][kind]
        out += bytes([kind]) + ((line - prediction) & 255).astype(np.uint8).tobytes()
        above = row
    return out


def scanlines(samples, depth, interlaced):
    step = max(1, samples.shape[2] * depth // 8)
    passes = [samples]
    if interlaced:
        passes = [samples[y0::dy, x0::dx] for x0, y0, dx, dy in ADAM7]
    data = b""
    for part in passes:
        if part.shape[0] and part.shape[1]:
            data += filtered([packed_row(row, depth) for row in part], step)
    return data


def png(samples, depth, kind, interlaced=False, extra=b"", split=None):
    data = zlib.compress(scanlines(samples, depth, interlaced), 9)
    pieces = [data] if split is None else [data[i:i + split] for i in range(0, len(data), split)]
    body = b"".join(chunk(b"IDAT", piece) for piece in pieces)
    return (SIGNATURE + header(samples.shape[1], samples.shape[0], depth, kind, int(interlaced))
            + extra + body + END)


def rounded(numerator, denominator):
    return (2 * numerator + denominator) // (2 * denominator)


def composited(colour, alpha, top, background):
    """Samples of 0…top over a background of 0…255, rounded once."""
    colour, alpha = colour.astype(object), alpha.astype(object)[..., None]
    under = np.array(background, dtype=object) * (top - alpha)
    return rounded(colour * alpha * 255 + under * top, top * top).astype(np.uint8)


def expected(samples, depth, kind, palette, transparency, background):
    top = (1 << depth) - 1
    whole = np.full(samples.shape[:2], top)
    if kind == 3:
        colour = palette[samples[..., 0]]
        alphas = np.full(256, 255)
        alphas[: len(transparency or [])] = transparency or []
        return composited(colour, alphas[samples[..., 0]], 255, background)
    count = 3 if kind in (2, 6) else 1
    colour = np.repeat(samples[..., :1], 3, 2) if count == 1 else samples[..., :3]
    alpha = samples[..., count] if kind in (4, 6) else whole
    if transparency is not None:
        alpha = np.where((samples == np.array(transparency)).all(2), 0, top)
    return composited(colour, alpha, top, background)


def case(name, width, height, depth, kind, interlaced, clear, background, rng, **options):
    top = (1 << depth) - 1
    palette, extra, transparency = None, b"", None
    samples = rng.integers(0, top + 1, (height, width, SAMPLES[kind]))
    if kind == 3:
        entries = min(top + 1, 200)
        samples %= entries
        palette = rng.integers(0, 256, (entries, 3))
        extra += chunk(b"PLTE", palette.astype(np.uint8).tobytes())
        if clear:
            transparency = [int(v) for v in rng.integers(0, 256, max(1, entries - 1))]
            extra += chunk(b"tRNS", bytes(transparency))
    elif clear and kind in (0, 2):
        transparency = [int(v) for v in samples[height // 2, width // 2]]
        extra += chunk(b"tRNS", struct.pack(f">{len(transparency)}H", *transparency))
    data = png(samples, depth, kind, interlaced, extra, **options)
    rgb = expected(samples, depth, kind, palette, transparency, background)
    if depth <= 8 and kind in (0, 2, 3) and not clear:
        seen = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
        assert (seen == rgb).all(), name
    return {"name": name, "png": b64(data), "width": width, "height": height,
            "background": list(background), "rgb": b64(rgb.tobytes())}


def readable(rng):
    depths = {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]}
    names = {0: "grey", 2: "rgb", 3: "palette", 4: "grey-alpha", 6: "rgba"}
    cases = []
    for kind, choices in depths.items():
        for depth in choices:
            for interlaced in (False, True):
                for clear in (False, True) if kind in (0, 2, 3) else (False,):
                    name = names[kind] + str(depth) + "-trns" * clear + "-adam7" * interlaced
                    under = (255, 255, 255) if depth != 8 else (12, 200, 77)
                    cases.append(case(name, 11, 9, depth, kind, interlaced, clear, under, rng))
    white = (255, 255, 255)
    cases.append(case("one-pixel-adam7", 1, 1, 8, 6, True, False, white, rng))
    cases.append(case("narrow-adam7", 2, 17, 4, 0, True, False, white, rng))
    cases.append(case("many-idat", 16, 16, 8, 2, False, False, white, rng, split=7))
    plain = case("with-texts", 4, 3, 8, 2, False, False, white, rng)
    data = base64.b64decode(plain["png"])
    texts = (chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"tEXt", b"Title\0a picture")
             + chunk(b"sRGB", b"\0") + chunk(b"vpAg", b"private"))
    plain["png"] = b64(data[:33] + texts + data[33:] + b"what follows the end is no concern")
    return cases + [plain]


def hostile(rng):
    good = case("", 8, 8, 8, 2, False, False, (0, 0, 0), rng)
    data = base64.b64decode(good["png"])
    samples = rng.integers(0, 256, (8, 8, 3))
    body = data[33:]
    pixels = zlib.compress(scanlines(samples, 8, False))
    idat = chunk(b"IDAT", pixels)
    size = struct.unpack(">I", data[33:37])[0]
    flipped = bytearray(data)
    flipped[45] ^= 0x55
    indices = zlib.compress(scanlines(np.full((4, 4, 1), 9), 8, False))
    filters = zlib.compress(b"\x09" + bytes(24) + bytes(25 * 7))
    return [
        ("empty", b"", "notAPicture"),
        ("text", b"GIF89a and so on, for long enough", "notAPicture"),
        ("signature alone", SIGNATURE, "damagedPicture"),
        ("header cut", data[:30], "damagedPicture"),
        ("pixels cut", data[:33 + size // 2], "damagedPicture"),
        ("end missing", data[:-12], "damagedPicture"),
        ("no pixels", SIGNATURE + header(8, 8, 8, 2) + END, "damagedPicture"),
        ("checksum of the header", data[:29] + b"abcd" + data[33:], "damagedPicture"),
        ("checksum of the pixels", bytes(flipped), "damagedPicture"),
        ("wider than its pixels", SIGNATURE + header(16, 8, 8, 2) + body, "damagedPicture"),
        ("higher than its pixels", SIGNATURE + header(8, 16, 8, 2) + body, "damagedPicture"),
        ("narrower than its pixels", SIGNATURE + header(5, 8, 8, 2) + body, "damagedPicture"),
        ("far larger than its bytes", SIGNATURE + header(7000, 7000, 8, 2) + body, "damagedPicture"),
        ("30,000 x 30,000", SIGNATURE + header(30000, 30000, 8, 2) + body, "tooLarge"),
        ("30,000 x 30,000 of one bit", SIGNATURE + header(30000, 30000, 1, 0)
         + chunk(b"IDAT", zlib.compress(bytes(3751 * 300))) + END, "tooLarge"),
        ("largest possible", SIGNATURE + header(2**31 - 1, 2**31 - 1, 16, 6) + body, "tooLarge"),
        ("beyond possible", SIGNATURE + header(2**32 - 1, 8, 8, 2) + body, "damagedPicture"),
        ("no width", SIGNATURE + header(0, 8, 8, 2) + body, "damagedPicture"),
        ("depth of 3", SIGNATURE + header(8, 8, 3, 0) + body, "damagedPicture"),
        ("palette of 16 bits", SIGNATURE + header(8, 8, 16, 3) + body, "damagedPicture"),
        ("colour type 5", SIGNATURE + header(8, 8, 8, 5) + body, "damagedPicture"),
        ("unknown interlacing", SIGNATURE + header(8, 8, 8, 2, 2) + body, "damagedPicture"),
        ("no palette", SIGNATURE + header(8, 8, 8, 3) + body, "damagedPicture"),
        ("crooked palette", SIGNATURE + header(4, 4, 8, 3) + chunk(b"PLTE", bytes(10))
         + chunk(b"IDAT", indices) + END, "damagedPicture"),
        ("index beyond the palette", SIGNATURE + header(4, 4, 8, 3) + chunk(b"PLTE", bytes(9))
         + chunk(b"IDAT", indices) + END, "damagedPicture"),
        ("unknown filter", SIGNATURE + header(8, 8, 8, 2) + chunk(b"IDAT", filters) + END,
         "damagedPicture"),
        ("unknown critical chunk", data[:33] + chunk(b"ABCD", b"1") + body, "damagedPicture"),
        ("not deflate", SIGNATURE + header(8, 8, 8, 2) + chunk(b"IDAT", b"nothing of the sort" * 9)
         + END, "damagedPicture"),
        ("chunk longer than the file", SIGNATURE + header(8, 8, 8, 2)
         + struct.pack(">I", 2**31 - 1) + b"IDAT" + pixels, "damagedPicture"),
    ]


def make_png():
    rng = np.random.default_rng(1)
    bad = [{"name": n, "png": b64(d), "code": c} for n, d, c in hostile(rng)]
    write("png.json", {"readable": readable(rng), "hostile": bad})


# Resize and encoder inputs -----------------------------------------------------------------------

def make_resize():
    small = [(17, 11, 9, 5), (9, 14, 23, 31), (16, 16, 16, 7), (13, 13, 5, 13), (5, 3, 1, 1),
             (1, 1, 6, 4), (40, 2, 3, 2), (31, 19, 32, 18)]
    large = [(51, 26, 50, 23), (54, 42, 53, 40), (60, 90, 50, 69), (176, 256, 256, 256), (750, 1101, 256, 256), (256, 256, 224, 224),
             (333, 517, 512, 101), (64, 48, 511, 301)]
    cases = []
    for number, (w, h, to_w, to_h) in enumerate(small + large):
        source = pattern(w, h, number)
        if number == 0:
            source = np.where(source > 127, 255, 0).astype(np.uint8)  # overshoot is clipped
        for name, code in (("bilinear", 2), ("bicubic", 3)):
            result = np.array(Image.fromarray(source).resize((to_w, to_h), code)).tobytes()
            entry = {"from": [w, h], "to": [to_w, to_h], "filter": name, "seed": number,
                     "hard": number == 0, "digest": fnv1a(result)}
            if number < len(small):
                entry["rgb"] = b64(result)
            cases.append(entry)
    write("resize.json", cases)


CONFIGURATIONS = {
    "dinov2": {
        "crop_size": {"height": 224, "width": 224}, "do_center_crop": True,
        "do_convert_rgb": True, "do_normalize": True, "do_rescale": True, "do_resize": True,
        "image_mean": [0.485, 0.456, 0.406], "image_processor_type": "BitImageProcessor",
        "image_std": [0.229, 0.224, 0.225], "resample": 3,
        "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 256}},
    "odd crop": {
        "image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 37},
        "crop_size": {"height": 28, "width": 31}},
    "crop larger than picture": {
        "image_processor_type": "BitImageProcessor", "do_resize": False,
        "crop_size": {"height": 33, "width": 40}},
    "square, bilinear, no crop": {
        "image_processor_type": "BitImageProcessor", "size": {"height": 30, "width": 20},
        "resample": 2, "do_center_crop": False, "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5]},
    "not normalized": {
        "image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 20},
        "crop_size": 14, "do_normalize": False},
}


def make_preprocess():
    from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
    cases = []
    for name, configuration in CONFIGURATIONS.items():
        options = {k: v for k, v in configuration.items() if k != "image_processor_type"}
        processor = BitImageProcessorPil(**options)
        for seed, (w, h) in enumerate([(256, 256), (176, 257), (61, 35), (39, 30)]):
            picture = Image.fromarray(pattern(w, h, seed))
            values = processor(picture, return_tensors="np")["pixel_values"][0]
            assert values.dtype == np.float32
            cases.append({
                "name": name, "configuration": json.dumps(configuration), "from": [w, h],
                "seed": seed, "shape": list(values.shape), "digest": fnv1a(values.tobytes()),
                "first": [float(v) for v in values.reshape(-1)[:4]]})
    write("preprocess.json", cases)


# Poses -------------------------------------------------------------------------------------------

LIMBS = [(2, 3), (2, 6), (3, 4), (4, 5), (6, 7), (7, 8), (2, 9), (9, 10), (10, 11), (2, 12),
         (12, 13), (13, 14), (2, 1), (1, 15), (15, 17), (1, 16), (16, 18)]
COLOURS = np.array([
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
    (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
    (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85)], float)
PERSON = np.array([
    (128.3, 40.2), (128, 70), (104, 71), (95.5, 108), (90, 140), (152, 70), (161, 107), (170.25, 141),
    (113, 142), (110, 190), (108, 236), (143, 142), (146, 190), (149, 237), (123, 35), (133, 35),
    (116, 38), (141, 38)])


FINGERS = {"left": [(255, 64, 64), (255, 192, 64), (128, 255, 64), (64, 255, 192), (64, 160, 255)],
           "right": [(255, 160, 160), (255, 232, 160), (192, 255, 160), (160, 255, 232), (160, 208, 255)]}


def pose_picture(joints, width, height, left=(), right=(), face=()):
    """The definition, pixel by pixel, in double precision."""
    canvas = np.zeros((height, width, 3))
    y, x = np.mgrid[0:height, 0:width] + 0.5

    def over(a, b, colour, size):
        nonlocal canvas
        (ax, ay), (bx, by) = a[:2], b[:2]
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / length, 0, 1) if length > 0 else 0
        distance = np.sqrt((x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2)
        coverage = np.clip(size * height / 256 + 0.5 - distance, 0, 1)[..., None]
        canvas = canvas * (1 - coverage) + np.array(colour, float) * coverage

    def present(joint):
        return joint[2] >= 0.05 and tuple(joint[:2]) != (-1, -1)

    for k, (i, j) in enumerate(LIMBS):
        if present(joints[i - 1]) and present(joints[j - 1]):
            over(joints[i - 1], joints[j - 1], COLOURS[k] * 0.6, 4)
    for k in range(18):
        if present(joints[k]):
            over(joints[k], joints[k], COLOURS[k], 4)
    for side, hand in (("left", left), ("right", right)):
        for finger in range(5 if len(hand) else 0):
            chain = [0] + [1 + 4 * finger + k for k in range(4)]
            for i, j in zip(chain, chain[1:]):
                if present(hand[i]) and present(hand[j]):
                    over(hand[i], hand[j], np.array(FINGERS[side][finger]) * 0.8, 1.5)
        for k, joint in enumerate(hand):
            if present(joint):
                over(joint, joint, FINGERS[side][max(k - 1, 0) // 4], 1.5)
    for point in face:
        if present(point):
            over(point, point, (255, 255, 255), 1)
    return np.round(canvas).astype(np.uint8)


def hand_at(x, y, turn):
    """21 joints of a hand spread out from the wrist."""
    angles = turn + np.linspace(-0.8, 0.8, 5)
    joints = [(x, y)]
    for finger, angle in enumerate(angles):
        for k in range(4):
            reach = (10 if finger else 6) + 4.5 * k
            joints.append((x + reach * np.cos(angle), y + reach * np.sin(angle)))
    return np.hstack([np.round(joints, 2), np.ones((21, 1))])


def face_at(x, y):
    """70 points on ellipses around a place."""
    turn = np.linspace(0, 6.2, 70)
    size = 6 + 12 * np.linspace(0, 1, 70)
    return np.hstack([np.round(np.stack([x + size * np.sin(turn), y + size * np.cos(turn)], 1), 2),
                      np.ones((70, 1))])


def make_pose():
    sure = np.ones((18, 1))
    whole = np.hstack([PERSON, sure])
    partial = whole.copy()
    partial[[3, 4], 2] = 0.04
    partial[7] = (-1, -1, 1)
    partial[10] = (250, 300, 0.9)
    partial[16] = (0, 0, 0)
    outside = whole.copy()
    outside[4] = (-30, 120, 1)
    outside[7] = (300, -20, 1)
    outside[13] = (149, 290, 1)
    grid = np.hstack([np.round(PERSON / 8), sure])
    scaled = whole * np.array([0.6, 0.8, 1])
    left, right, face = hand_at(170.25, 141, 1.2), hand_at(90, 140, 1.9), face_at(128.3, 38)
    gaps = right.copy()
    gaps[[0, 6, 20], 2] = 0.01
    gaps[11] = (-1, -1, 1)
    cases = []
    for name, joints, w, h, keep, more in [
            ("whole", whole, 256, 256, False, {}), ("partial", partial, 256, 256, False, {}),
            ("outside", outside, 256, 256, False, {}),
            ("whole coordinates, small", grid, 32, 32, True, {}),
            ("not square", scaled, 160, 208, False, {}),
            ("512", whole * [2, 2, 1], 512, 512, False, {}),
            ("hands and face", whole, 256, 256, False,
             {"left": left, "right": right, "face": face}),
            ("gaps in hands", whole, 256, 256, False, {"right": gaps, "face": face[:0]}),
            ("a face, 512", whole * [2, 2, 1], 512, 512, False, {"face": face * [2, 2, 1]})]:
        picture = pose_picture(joints.tolist(), w, h, **{k: v.tolist() for k, v in more.items()})
        entry = {"name": name, "width": w, "height": h, "joints": joints.tolist(),
                 "digest": fnv1a(picture.tobytes()), **{k: v.tolist() for k, v in more.items()}}
        if more:
            bare = pose_picture(joints.tolist(), w, h)
            entry["bare"] = fnv1a(bare.tobytes())
        if keep:
            entry["rgb"] = b64(picture.tobytes())
        if more or name == "outside":
            # The recipe draws in single precision and is compared with the picture, not with the digest.
            file = io.BytesIO()
            Image.fromarray(picture).save(file, "PNG", optimize=True)
            entry["png"] = b64(file.getvalue())
        cases.append(entry)
    write("pose.json", cases)


# Metrics -----------------------------------------------------------------------------------------

def make_metrics():
    cases = []
    for seed, (w, h) in enumerate([(64, 48), (11, 11), (97, 33), (256, 256)]):
        reference = pattern(w, h, seed)
        other = pattern(w, h, seed + 1)
        image = ((reference.astype(int) * 7 + other) // 8).astype(np.uint8)
        y, x = np.mgrid[0:h, 0:w]
        mask = (x - w // 3) ** 2 + (y - h // 2) ** 2 < (min(w, h) // 2) ** 2
        mean, full = structural_similarity(
            image, reference, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
            data_range=255, channel_axis=2, full=True)
        square = (image.astype(float) - reference) ** 2
        cases.append({
            "size": [w, h], "seed": seed, "ssim": float(mean),
            "ssimMask": float(full.mean(2)[mask].mean()),
            "psnr": float(peak_signal_noise_ratio(reference, image, data_range=255)),
            "psnrMask": float(10 * np.log10(255**2 / square[mask].mean()))})
    rng = np.random.default_rng(2)
    sets = []
    for name, n1, n2, d in [("more vectors than features", 40, 30, 6),
                            ("fewer vectors than features", 7, 9, 16), ("one feature", 12, 12, 1)]:
        a = (rng.normal(size=(n1, d)) * np.linspace(1, 3, d)).astype(np.float32)
        b = (rng.normal(size=(n2, d)) + 0.3).astype(np.float32)
        wide_a, wide_b = a.astype(float), b.astype(float)
        s1 = np.atleast_2d(np.cov(wide_a, rowvar=False))
        s2 = np.atleast_2d(np.cov(wide_b, rowvar=False))
        # tr sqrt(S1 S2) is the sum of the singular values of the centred sets' product.
        ca = (wide_a - wide_a.mean(0)) / np.sqrt(n1 - 1)
        cb = (wide_b - wide_b.mean(0)) / np.sqrt(n2 - 1)
        common = np.linalg.svd(ca @ cb.T, compute_uv=False).sum()
        offset = ((wide_a.mean(0) - wide_b.mean(0)) ** 2).sum()
        distance = offset + np.trace(s1) + np.trace(s2) - 2 * common
        if min(n1, n2) > d:
            root = scipy.linalg.sqrtm(s1 @ s2).real
            assert abs(np.trace(root) - common) < 1e-9
        sets.append({"name": name, "first": a.tolist(), "second": b.tolist(),
                     "distance": float(distance)})
    matrix = rng.normal(size=(9, 9))
    matrix = matrix + matrix.T
    eigen = {"matrix": matrix.reshape(-1).tolist(),
             "values": np.linalg.eigvalsh(matrix).tolist()}
    write("metrics.json", {"pictures": cases, "sets": sets, "eigen": eigen})


if __name__ == "__main__":
    make_png()
    make_resize()
    make_preprocess()
    make_pose()
    make_metrics()
