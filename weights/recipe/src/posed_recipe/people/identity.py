"""Who is in the picture: body, skin, face, hair and clothes, drawn from a seed and a number."""

from dataclasses import dataclass

import numpy as np

from . import colors
from .assets import PAIRED_CHANGES
from .wardrobe import Cloth, Outfit, sample_outfit

SPLITS = {"train": 0, "heldout": 1}
"""Identities of one split are never drawn by another, whatever the seeds."""

# style: (length of the scalp's shells in metres, bounds of where the long hair ends or None, what it is tied to)
HAIR_STYLES = {
    "bald": ((0, 0), None, None), "buzz": ((.004, .006), None, None), "short": ((.012, .022), None, None),
    "crop": ((.022, .036), None, None), "afro": ((.05, .085), None, None), "curls": ((.03, .05), None, None),
    "bob": ((.010, .012), (5.6, 6.6), None), "long": ((.010, .012), (3.4, 5.4), None),
    "mane": ((.014, .02), (3.8, 5.2), None), "pony": ((.008, .012), None, "tail"),
    "pigtails": ((.008, .012), None, "tails"), "bun": ((.008, .012), None, "bun"),
    "topknot": ((.008, .016), None, "knot"),
    "beanie": ((.016, .022), None, None), "cap": ((.012, .016), None, "visor"),
    "sunhat": ((.014, .018), (5.0, 6.4), "brim"), "headscarf": ((.014, .018), (4.9, 5.4), None)}
STYLE_SHARES = {
    True: dict(long=.22, bob=.16, mane=.08, pony=.11, bun=.09, topknot=.03, pigtails=.04, short=.05, crop=.04, afro=.04,
               curls=.03, beanie=.03, cap=.02, sunhat=.02, headscarf=.04),
    False: dict(bald=.07, buzz=.17, short=.27, crop=.20, afro=.05, curls=.06, bob=.03, long=.02, bun=.01, topknot=.02,
                beanie=.04, cap=.05, sunhat=.01)}


@dataclass
class Hair:
    """`style` of HAIR_STYLES; `length` of the shells; `front`, `nape`: heights of the hairline, `shaved` its sides
    (0 or 1); `cut`: where the curtain of long hair ends (None: none); `fringe`: where it starts above the face;
    `parting` in degrees; `cheek`: how far, in degrees, it leaves the front open below the chin; `wave` and
    `volume` in metres."""

    style: str
    length: float
    front: float
    nape: float
    shaved: float
    cut: float | None
    fringe: float
    parting: float
    cheek: float
    wave: float
    volume: float
    colors: np.ndarray

    @property
    def covered(self):
        """Whether the scalp is a hat or scarf rather than hair."""
        return self.style in ("beanie", "cap", "sunhat", "headscarf")

    @property
    def tied(self):
        """The name of what is tied or put on, or None."""
        return HAIR_STYLES[self.style][2]


@dataclass
class Face:
    """Linear colours of skin, lips and irises, and the strengths of what is painted on."""

    skin: np.ndarray
    lips: np.ndarray
    iris: np.ndarray
    brow: float
    brow_height: float
    blush: float
    beard: float
    freckles: float


@dataclass
class Identity:
    """A person, before any pose. `seed` shifts the noise of its textures."""

    number: int
    feminine: bool
    phenotype: dict
    local: dict
    facial: dict
    face: Face
    hair: Hair
    outfit: Outfit
    hat: Cloth
    glasses: np.ndarray | None
    seed: float


def generator(split, seed, number, stream=0):
    """The random numbers of one identity; `stream` separates its appearance (0), scene (1) and poses (2 …)."""
    return np.random.default_rng([SPLITS[split], seed, number, stream])


def sample_identity(rng, number, local_changes):
    """One identity; `local_changes` are the names of local changes that the body model knows."""
    uniform, normal = rng.uniform, rng.normal
    feminine = bool(rng.random() < .5)
    ancestry = rng.dirichlet([.5, .5, .6])
    age = uniform(.60, .92) if rng.random() < .85 else uniform(.5, .6)
    phenotype = dict(
        gender=uniform(.85, 1) if feminine else uniform(0, .15), age=age, muscle=uniform(.2, .85),
        weight=float(np.clip(normal(.5, .2), .05, 1)), height=uniform(.3, .78), proportions=uniform(.3, .9),
        cupsize=uniform(.2, .75), firmness=uniform(.4, .9),
        african=ancestry[0], asian=ancestry[1], caucasian=ancestry[2])
    tone, darkness = colors.skin_tone(rng, ancestry)
    hair_display = colors.hair_color(rng, darkness, age)
    return Identity(
        number=number, feminine=feminine, phenotype=phenotype, local=_local_changes(rng, local_changes),
        facial=_expression(rng), face=_face(rng, feminine, tone), hair=_hair(rng, feminine, hair_display),
        outfit=sample_outfit(rng, feminine),
        hat=Cloth(np.array([colors.cloth_color(rng) for _ in range(3)]),
                  str(rng.choice(["plain", "stripes", "knit", "flowers", "dots"], p=[.55, .15, .1, .1, .1])),
                  frequency=uniform(1, 2.5), folds=.3),
        glasses=_frame_color(rng) if rng.random() < .15 else None,
        seed=uniform(0, 50))


def _frame_color(rng):
    return colors.linear(colors.hsv(rng.random(), rng.uniform(0, .6), rng.uniform(.02, .5)))


def _local_changes(rng, known):
    changes = {}
    for name in known:
        if name.startswith(("l-", "r-")):
            continue
        if rng.random() < .35:
            low = 0 if "pregnant" in name else -.6
            changes[name] = float(np.clip(rng.normal(0, .28), low, .6))
    for name in PAIRED_CHANGES:
        value = float(np.clip(rng.normal(0, .3), -.7, .7))
        changes.update({f"{side}-{name}": value for side in "lr" if f"{side}-{name}" in known})
    return changes


def _expression(rng):
    face = {}
    if rng.random() < .6:
        smile = rng.uniform(0, .7)
        face.update(mouthSmileLeft=smile, mouthSmileRight=smile)
    if rng.random() < .2:
        face["browInnerUp"] = rng.uniform(0, .6)
    return face


def _face(rng, feminine, tone):
    uniform = rng.uniform
    lips = tone * np.array([.92, .66, .66])
    if feminine and rng.random() < .4:
        lips = .5 * lips + .5 * np.array([uniform(.6, .85), uniform(.1, .3), uniform(.2, .38)])
    return Face(
        skin=colors.linear(tone), lips=colors.linear(lips),
        iris=colors.linear(colors.IRIS[rng.choice(5, p=[.38, .36, .08, .1, .08])]),
        brow=uniform(.035, .055) if feminine else uniform(.05, .085), brow_height=rng.normal(0, .02),
        blush=uniform(0, .7 if feminine else .35),
        beard=0. if feminine or rng.random() < .55 else uniform(.25, .9), freckles=float(rng.random() < .12))


def _hair(rng, feminine, display):
    uniform = rng.uniform
    shares = STYLE_SHARES[feminine]
    style = str(rng.choice(list(shares), p=np.array(list(shares.values())) / sum(shares.values())))
    length, ends, _ = HAIR_STYLES[style]
    lighter = np.clip(display * uniform(1.2, 1.6) + .02, 0, 1)
    fringe = uniform(7.9, 8.15) if rng.random() < .7 else uniform(7.5, 7.68)
    if style in ("headscarf", "sunhat"):
        fringe = 8.0
    return Hair(
        style=style, length=uniform(*length), front=8.0 + rng.normal(0, .06) + (0 if feminine else uniform(-.05, .12)),
        nape=uniform(6.45, 6.75),
        shaved=float(style in ("crop", "curls", "topknot", "short") and rng.random() < .22),
        cut=uniform(*ends) if ends else None, fringe=fringe, parting=rng.normal(0, 12),
        cheek=uniform(40, 62) if style == "headscarf" else uniform(48, 75) if rng.random() < .6 else uniform(90, 118),
        wave=uniform(.008, .02) if style == "mane" else uniform(0, .006), volume=uniform(0, .012),
        colors=np.array([colors.linear(display), colors.linear(lighter)]))
