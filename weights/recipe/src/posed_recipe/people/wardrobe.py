"""What people wear: cloths, and cuts in template coordinates (decimetres: feet −8, hips 0, shoulders 5.2)."""

from dataclasses import dataclass, field, replace

import numpy as np

from .colors import cloth_color, denim, hsv, linear

# Patterns, prints and details by the number that the cloth shader knows them by.
PATTERNS = ("plain", "stripes", "pinstripes", "gingham", "dots", "gradient", "blocks", "camouflage", "flowers",
            "denim", "tartan", "argyle", "zigzag", "knit", "leopard", "tiedye", "raglan", "windowpane",
            "houndstooth", "broad stripes")
PRINTS = ("none", "ring", "tiles", "emblem", "text", "badge", "number", "photograph", "band", "star")
DETAILS = ("none", "buttons", "zip", "pleats", "panels")


@dataclass
class Cloth:
    """Three linear colours and how they are woven, printed and sewn."""

    colors: np.ndarray
    pattern: str = "plain"
    frequency: float = 1.0
    parameter: float = 0.5
    print: str = "none"
    trim: float = 0.0
    folds: float = 0.6
    detail: str = "none"
    gloss: float = 0.03
    seed: float = 0.0

    def packed(self):
        """Five vec4 as the shaders' `Cloth` has them."""
        a, b, c = self.colors
        return np.array([*a, PATTERNS.index(self.pattern), *b, self.frequency, *c, self.parameter,
                         PRINTS.index(self.print), self.trim, self.folds, DETAILS.index(self.detail),
                         self.gloss, self.seed, 0, 0], np.float32)


@dataclass
class Top:
    """Hem height; sleeve end (arm parameter: 0 shoulder, 1 elbow, 2 wrist); neckline."""

    hem: float
    sleeve: float
    neck_depth: float
    neck_width: float
    neck_height: float = 5.95
    pointed: bool = False
    strap: float = 0.0


@dataclass
class Outer:
    """An open or closed jacket or coat: hem height, sleeve end, half the width of the opening (0: closed)."""

    hem: float
    sleeve: float
    opening: float


@dataclass
class Collar:
    """A tube about the neck: from `low` to `high`, open in front by `opening` radians, leaning out by `lean`."""

    kind: str
    low: float
    high: float
    opening: float
    offset: float
    lean: float


@dataclass
class Outfit:
    """Cuts and cloths; a part that is not worn is None. `skirt` is (top, hem), `trousers` (waist, hem)."""

    top: Top
    trousers: tuple | None
    skirt: tuple | None
    outer: Outer | None
    collar: Collar | None
    shaft: float | None
    socks: float | None
    sole: float
    cloths: dict = field(default_factory=dict)
    looseness: dict = field(default_factory=dict)


def _cloth(rng, bottom=False):
    uniform = rng.uniform
    if bottom:
        names = ("plain", "denim", "pinstripes", "gingham", "gradient", "camouflage", "flowers", "tartan",
                 "windowpane", "houndstooth", "broad stripes", "tiedye", "leopard", "dots")
        share = (.34, .30, .04, .04, .02, .05, .04, .04, .02, .03, .02, .02, .02, .02)
    else:
        names = PATTERNS
        share = (.26, .11, .03, .06, .06, .04, .06, .05, .07, .04, .05, .025, .03, .04, .02, .03, .03, .02, .02, .025)
    pattern = str(rng.choice(names, p=np.array(share) / sum(share)))
    colors = np.array([cloth_color(rng) for _ in range(3)])
    if pattern == "denim" and (bottom or rng.random() < .6):
        colors[0] = denim(rng)
    while pattern != "plain" and np.abs(colors[0] - colors[1]).sum() < .25:
        colors[1] = cloth_color(rng)
    if pattern == "leopard" and rng.random() < .7:
        colors = linear(np.array([hsv(.09, .5, .8), hsv(.07, .6, .2), hsv(.07, .6, .5)]))
    return Cloth(colors, pattern, frequency=uniform(.55, 2.4), parameter=uniform(.25, .7),
                 print=str(rng.choice(PRINTS[1:])) if not bottom and rng.random() < .35 else "none",
                 trim=float(rng.random() < .35), folds=uniform(.35, 1.1),
                 gloss=float(rng.choice([.02, .04, .12], p=[.6, .3, .1])), seed=uniform(0, 50))


def _top(rng, feminine):
    uniform = rng.uniform
    none = uniform(-.35, -.1) if feminine else uniform(-.02, .1)
    lengths = [none, uniform(.2, .7), uniform(1.1, 1.6), uniform(1.88, 2.02)]
    sleeve = lengths[rng.choice(4, p=[.22, .36, .10, .32] if feminine else [.10, .44, .08, .38])]
    hem = uniform(.1, 1.2)
    if rng.random() < .25:
        hem = uniform(1.2, 2.4) if feminine else uniform(-.7, .3)
    return Top(hem, sleeve, neck_depth=uniform(.15, 1.1 if feminine else .7), neck_width=uniform(.5, .95),
               pointed=bool(rng.random() < .35))


def _collar(rng, outfit):
    """Gives some outfits a rolled, shirt or stand-up collar, a hood or a scarf, and the neckline that goes with it."""
    kind, uniform, top = rng.random(), rng.uniform, outfit.top
    if kind < .09 and top.sleeve > .1:
        outfit.top = replace(top, neck_depth=0, neck_height=6.2)
        outfit.cloths["collar"] = replace(outfit.cloths["top"], print="none")
        return Collar("roll", 5.75, uniform(6.15, 6.5), 0.0, uniform(.03, .07), 0.0)
    if kind < .34 and top.sleeve > .1:
        outfit.top = replace(top, neck_depth=uniform(.2, .75), neck_width=uniform(.5, .62), pointed=True)
        outfit.cloths["top"] = replace(outfit.cloths["top"], detail="buttons" if rng.random() < .75 else "none")
        plain = rng.random() < .25
        cloth = Cloth(np.array([cloth_color(rng)] * 3)) if plain else outfit.cloths["top"]
        outfit.cloths["collar"] = replace(cloth, print="none", detail="none", trim=0)
        return Collar("shirt", uniform(5.78, 5.86), uniform(6.15, 6.32), uniform(.25, .55), .05, uniform(.12, .3))
    if kind < .46 and (outfit.outer or top.sleeve > 1.8):
        owner = "outer" if outfit.outer else "top"
        outfit.cloths["collar"] = replace(outfit.cloths[owner], print="none", detail="none")
        return Collar("hood", 5.45, uniform(6.0, 6.35), uniform(.5, .9), uniform(.10, .2), uniform(.2, .35))
    if kind < .52:
        outfit.cloths["collar"] = replace(_cloth(rng), print="none", folds=1.2)
        return Collar("scarf", 5.6, uniform(6.15, 6.4), 0.0, uniform(.14, .26), 0.1)
    return None


def _shoes(rng, feminine, outfit):
    if rng.random() < .05:
        outfit.shaft = None
    else:
        shafts = (-7.72, -7.5, -6.2, -4.6) if feminine else (-7.55, -7.3, -6.3, -6.0)
        outfit.shaft = float(rng.choice(shafts, p=[.45, .27, .18, .10]))
    outfit.sole = rng.uniform(.08, .22)
    socks = rng.choice(4, p=[.60, .24, .08, .08])
    outfit.socks = (None, rng.uniform(-7.2, -6.6), rng.uniform(-4.5, -3.9), 0.4)[socks]
    sole = linear(np.full(3, rng.choice([.05, .9]))) if rng.random() < .6 else cloth_color(rng)
    outfit.cloths["shoes"] = Cloth(np.array([cloth_color(rng), sole, cloth_color(rng)]), gloss=.1)
    outfit.cloths["socks"] = replace(_cloth(rng, bottom=True), frequency=rng.uniform(1, 3), folds=.2)


def sample_outfit(rng, feminine):
    """One outfit. `feminine` only shifts how often skirts, dresses and low necklines come."""
    uniform, normal = rng.uniform, rng.normal
    kinds = ("trousers", "shorts", "skirt", "dress")
    kind = str(rng.choice(kinds, p=[.40, .14, .25, .21] if feminine else [.77, .22, .005, .005]))
    cloths = {"top": _cloth(rng), "bottom": _cloth(rng, bottom=True)}
    outfit = Outfit(_top(rng, feminine), None, None, None, None, None, None, .1, cloths)
    if kind in ("trousers", "shorts"):
        waist = uniform(1.0, 2.1) if feminine else uniform(.9, 1.7)
        leg = uniform(-7.6, -6.9) if rng.random() < .82 else uniform(-6.4, -4.6)
        outfit.trousers = (waist, leg if kind == "trousers" else uniform(-4.2, -1.2))
        if rng.random() < .06:
            cloths["bottom"] = cloths["top"]
    else:
        outfit.skirt = (1.7, uniform(-5.2, -1.5) if rng.random() < .75 else uniform(-7.1, -5.2))
        outfit.top = replace(outfit.top, hem=1.2 if kind == "dress" else uniform(.9, 1.5))
        cloth = replace(cloths["top"], print="none") if kind == "dress" else cloths["bottom"]
        cloths["skirt"] = replace(cloth, detail=str(rng.choice(["none", "pleats"], p=[.6, .4])))
    if rng.random() < (.12 if kind == "dress" else .26):
        _put_on_outer(rng, outfit)
    elif rng.random() < .12:
        cloths["top"] = replace(cloths["top"], detail=str(rng.choice(["buttons", "zip"])))
    outfit.collar = _collar(rng, outfit)
    _shoes(rng, feminine, outfit)
    outfit.looseness = dict(
        top=abs(normal(.008, .008)), bottom=abs(normal(.008, .008)), boxy=uniform(.2, 1),
        flare=uniform(0, .03) if rng.random() < .6 else uniform(.03, .07), skirt=uniform(-.15, .35),
        sleeves=abs(normal(.006, .009)))
    return outfit


def _put_on_outer(rng, outfit):
    uniform = rng.uniform
    hem = uniform(-.4, .4) if rng.random() < .45 else uniform(.5, 1.6) if rng.random() < .6 else uniform(-3.6, -1.2)
    vest = rng.random() < .12
    opening = 0.0 if rng.random() < .25 else uniform(.15, 1.0)
    outfit.outer = Outer(hem, uniform(-.1, .02) if vest else uniform(1.85, 2.03), opening)
    cloth = _cloth(rng)
    if cloth.pattern in ("blocks", "raglan", "argyle", "tiedye", "leopard") and rng.random() < .7:
        cloth = replace(cloth, pattern="plain")
    detail = str(rng.choice(["none", "zip", "buttons", "panels"])) if opening == 0 else "none"
    outfit.cloths["outer"] = replace(cloth, print="none", detail=detail)
