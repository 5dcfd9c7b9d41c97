"""Writes `Tests/Goldens/vision/pictures.json`: JPEG and WebP files, and PNG files that programs in use write
against the rules, with what they should decode to or why they should not.

    python Tests/Goldens/make_pictures.py

JPEG and WebP decode to what Pillow makes of them, orientations to `ImageOps.exif_transpose`, transparency to
exact integer arithmetic.
"""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps
from scipy.ndimage import gaussian_filter

from make_vision import END, SIGNATURE, b64, chunk, fnv1a, header, pattern, write

WHITE = (255, 255, 255)


def encoded(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def oriented(value):
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif[0x0112] = value
    return exif


def seen(data):
    return np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


def over(rgba, background):
    colour, alpha = rgba[..., :3].astype(int), rgba[..., 3:].astype(int)
    return ((colour * alpha + np.array(background) * (255 - alpha) + 127) // 255).astype(np.uint8)


def read(name, data, rgb=None, background=WHITE):
    rgb = seen(data) if rgb is None else rgb
    return {"name": name, "file": b64(data), "width": rgb.shape[1], "height": rgb.shape[0],
            "background": list(background), "digest": fnv1a(rgb.tobytes())}


def ycck(data):
    """A CMYK file of Adobe's that says its channels are YCCK."""
    at = data.index(b"Adobe\0")
    return data[:at + 11] + b"\x02" + data[at + 12:]


def cmyk(data):
    """The file with Adobe's marker, which Pillow leaves out."""
    if b"Adobe\0" in data:
        return data
    marker = b"\xff\xee\x00\x0eAdobe\0\x64\0\0\0\0\0"
    return data[:2] + marker + data[2:]


def jpegs():
    image = Image.fromarray(pattern(37, 23))
    smooth = image.resize((74, 46), Image.BICUBIC)
    ink = Image.fromarray(np.dstack([pattern(37, 23), pattern(37, 23, 3)[..., 0]]), "CMYK")
    ink = cmyk(encoded(ink, format="JPEG", quality=90))
    plain = encoded(image, format="JPEG", quality=90)
    cases = [read("jpeg", plain)]
    for name, options in [
            ("444", {"subsampling": 0}), ("422", {"subsampling": 1}), ("420", {"subsampling": 2}),
            ("progressive", {"progressive": True}), ("optimized", {"optimize": True}),
            ("restarts", {"restart_marker_blocks": 2}), ("quality 20", {"quality": 20})]:
        cases.append(read("jpeg " + name, encoded(smooth, format="JPEG", **{"quality": 85, **options})))
    cases.append(read("jpeg grey", encoded(image.convert("L"), format="JPEG")))
    cases.append(read("jpeg cmyk", ink))
    cases.append(read("jpeg ycck", ycck(ink)))
    for value in range(1, 9):
        cases.append(read(f"jpeg orientation {value}", encoded(
            image, format="JPEG", quality=90, exif=oriented(value))))
    cases.append(read("jpeg trailing", plain + b"what a camera adds" * 9, seen(plain)))
    cases.append(read("jpeg without its end", plain[:-2], seen(plain)))
    comment = b"\xff\xfe" + struct.pack(">H", 302) + bytes(300)
    cases.append(read("jpeg with comments", plain[:2] + comment * 3 + plain[2:], seen(plain)))
    return cases


def webps():
    image = Image.fromarray(pattern(37, 23))
    rgba = np.dstack([pattern(37, 23), pattern(37, 23, 5)[..., 1]])
    clear = encoded(Image.fromarray(rgba, "RGBA"), format="WEBP", lossless=True, exact=True)
    lossy = encoded(Image.fromarray(rgba, "RGBA"), format="WEBP", quality=80)
    cases = [
        read("webp", encoded(image, format="WEBP", quality=80)),
        read("webp lossless", encoded(image, format="WEBP", lossless=True)),
        read("webp clear", clear, over(rgba, (9, 80, 200)), (9, 80, 200)),
        read("webp lossy and clear", lossy,
             over(np.array(Image.open(io.BytesIO(lossy)).convert("RGBA")), (0, 0, 0)), (0, 0, 0)),
    ]
    for value in (1, 3, 6, 7):
        cases.append(read(f"webp orientation {value}", encoded(
            image, format="WEBP", lossless=True, exif=oriented(value))))
    return cases


def rows(samples):
    return zlib.compress(b"".join(b"\0" + bytes(row.reshape(-1)) for row in samples), 9)


def pngs():
    """PNG files that viewers open; the chunk that makes no sense is ignored."""
    side = 32
    rgb = pattern(side, side)
    data = rows(rgb)
    idat = chunk(b"IDAT", data)
    head = SIGNATURE + header(side, side, 8, 2)
    grey = rgb[..., :1]
    rgba = np.dstack([rgb, rgb[..., :1]])
    index = (rgb[..., :1] % 4).astype(np.uint8)
    palette = np.arange(12, dtype=np.uint8).reshape(4, 3) * 20
    indexed = SIGNATURE + header(side, side, 8, 3)
    coloured, pixels = chunk(b"PLTE", palette.tobytes()), chunk(b"IDAT", rows(index))
    shown = palette[index[..., 0]]
    alphas = np.array([255, 128, 255, 255])
    half = over(np.dstack([shown, alphas[index[..., 0]]]), WHITE)
    exif = oriented(6).tobytes().removeprefix(b"Exif\0\0")
    small = bytearray(data)
    small[0], small[1] = 0x08, (31 - 0x0800 % 31) % 31
    cut = len(data) // 2
    animation = (chunk(b"acTL", struct.pack(">II", 2, 0))
                 + chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, side, side, 0, 0, 1, 10, 0, 0)))
    second = (chunk(b"fcTL", struct.pack(">IIIIIHHBB", 1, side, side, 0, 0, 1, 10, 0, 0))
              + chunk(b"fdAT", struct.pack(">I", 2) + data))
    return [
        read("png", head + idat + END, rgb),
        read("rgbatrns", SIGNATURE + header(side, side, 8, 6) + chunk(b"tRNS", b"\0\1\0\1\0\1")
             + chunk(b"IDAT", rows(rgba)) + END, over(rgba, WHITE)),
        read("window", head + chunk(b"IDAT", bytes(small)) + END, rgb),
        read("greyplte", SIGNATURE + header(side, side, 8, 0) + chunk(b"PLTE", bytes(range(48)))
             + chunk(b"IDAT", rows(grey)) + END, np.repeat(grey, 3, 2)),
        read("longtrns", indexed + coloured + chunk(b"tRNS", b"\xff" * 16) + pixels + END, shown),
        read("trnsfirst", indexed + chunk(b"tRNS", b"\xff\x80") + coloured + pixels + END, shown),
        read("duptrns", indexed + coloured + chunk(b"tRNS", b"\xff\x80") + chunk(b"tRNS", b"\0")
             + pixels + END, half),
        read("badtextcrc", head + chunk(b"tEXt", b"Comment\0hello", 7) + idat + END, rgb),
        read("apng", head + animation + idat + second + END, rgb),
        read("emptyidat", head + chunk(b"IDAT", b"") + idat + chunk(b"IDAT", b"") + END, rgb),
        read("more rows than stated", SIGNATURE + header(side, side - 4, 8, 2) + idat + END, rgb[:-4]),
        read("trailing", head + idat + END + b"garbage" * 100, rgb),
        read("exif", head + chunk(b"eXIf", exif) + idat + END, np.rot90(rgb, -1).copy()),
        read("exif at the end", head + idat + chunk(b"eXIf", exif) + END, np.rot90(rgb, -1).copy()),
        read("exif with a bad checksum", head + chunk(b"eXIf", exif, 7) + idat + END, rgb),
        read("exif of nonsense", head + chunk(b"eXIf", b"MM\0*\0\0\xff\xff" + exif[8:]) + idat + END, rgb),
    ]


def refused():
    image = Image.fromarray(pattern(24, 16))
    jpeg = encoded(image, format="JPEG", quality=90)
    scans = encoded(image, format="JPEG", quality=90, progressive=True)
    webp = encoded(image, format="WEBP", quality=80)
    frames = [Image.fromarray(pattern(24, 16, seed)) for seed in range(3)]
    size = jpeg.index(b"\xff\xc0")
    last = scans.rindex(b"\xff\xda")
    precision = bytearray(jpeg)
    precision[size + 4] = 12
    lossless = bytearray(jpeg)
    lossless[size + 1] = 0xC3
    flat = bytearray(jpeg)
    flat[size + 5:size + 7] = b"\0\0"
    tall = bytearray(jpeg)
    tall[size + 5:size + 7] = struct.pack(">H", 64)
    huge = bytearray(jpeg)
    huge[size + 5:size + 9] = struct.pack(">HH", 65500, 65500)
    body = rows(pattern(24, 16))
    head = SIGNATURE + header(24, 16, 8, 2)
    return [
        ("empty", b"", "notAPicture"),
        ("gif", encoded(image, format="GIF"), "notAPicture"),
        ("bmp", encoded(image, format="BMP"), "notAPicture"),
        ("leading", b"\n" + head + chunk(b"IDAT", body) + END, "notAPicture"),
        ("a sound", b"RIFF\x24\0\0\0WAVEfmt " + bytes(40), "notAPicture"),
        ("jpeg of four bytes", jpeg[:4], "damagedPicture"),
        ("jpeg of one marker", b"\xff\xd8\xff\xe0\0\x10JFIF\0", "damagedPicture"),
        ("jpeg without tables", jpeg[:2] + jpeg[size:], "damagedPicture"),
        ("jpeg of no height", bytes(flat), None),
        ("jpeg higher than its data", bytes(tall), "damagedPicture"),
        ("jpeg of 12 bits", bytes(precision), "unsupportedPicture"),
        ("jpeg without loss", bytes(lossless), "unsupportedPicture"),
        ("jpeg of 65,500 x 65,500", bytes(huge), "tooLarge"),
        ("jpeg of many scans", scans[:-2] + scans[last:-2] * 120 + scans[-2:], "damagedPicture"),
        ("webp of its header", webp[:12], "damagedPicture"),
        ("webp of another chunk", webp[:12] + b"JUNK" + webp[16:], "damagedPicture"),
        ("webp animation", encoded(frames[0], format="WEBP", save_all=True, append_images=frames[1:]),
         "unsupportedPicture"),
        ("adler", head + chunk(b"IDAT", body[:-4] + b"\1\2\3\4") + END, None),
        ("noiend", head + chunk(b"IDAT", body), "damagedPicture"),
        ("splitidat", head + chunk(b"IDAT", body[:20]) + chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", body[20:])
         + END, None),
    ]


def sharpness():
    """Gradient and detail of luma, by Pillow and SciPy."""
    cases = []
    for width, height, seed in ((31, 17, 1), (64, 48, 2)):
        picture = Image.fromarray(pattern(width, height, seed))
        luma = np.array(picture.convert("L"))
        y, x = np.mgrid[:height, :width]
        mask = (x - width // 3) ** 2 + (y - height // 2) ** 2 < (height // 2) ** 2
        fine = luma - gaussian_filter(luma.astype(float), 1.5, truncate=5 / 1.5)
        dx, dy = (np.abs(np.diff(luma.astype(int), axis=axis)) for axis in (1, 0))
        inside_x, inside_y = mask[:, 1:] & mask[:, :-1], mask[1:] & mask[:-1]
        cases.append({"size": [width, height], "seed": seed, "gradient": float(dx.mean() + dy.mean()),
                      "detail": float(fine.var()), "gradientMask": float(dx[inside_x].mean() + dy[inside_y].mean()),
                      "detailMask": float(fine[mask].var())})
    return cases


def poses():
    """A red disc on nothing, on black and on white."""
    y, x = np.mgrid[:32, :32]
    disc = ((x - 12) ** 2 + (y - 20) ** 2 < 40)[..., None]
    cases = []
    for name, under in [("on nothing", (0, 0, 0, 0)), ("on black", (0, 0, 0, 255)),
                        ("on white", (255, 255, 255, 255))]:
        rgba = np.where(disc, (255, 85, 0, 255), under).astype(np.uint8)
        cases.append({"name": name, "file": b64(encoded(Image.fromarray(rgba, "RGBA"), format="PNG"))})
    return cases


if __name__ == "__main__":
    bad = [{"name": name, "file": b64(data), "code": code} for name, data, code in refused()]
    write("pictures.json", {"readable": jpegs() + webps() + pngs(), "refused": bad, "poses": poses(),
                            "sharpness": sharpness()})
