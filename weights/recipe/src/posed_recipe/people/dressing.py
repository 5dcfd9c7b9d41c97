"""Puts an identity's hair and clothes on its body: the vertices of every layer, cut to what is seen."""

from dataclasses import dataclass

import numpy as np

from . import cuts, parts
from .body import DECIMETRE
from .meshes import SHELLS
from .rotations import unit

UNDERLAP = .10
"""How far, in decimetres, skin reaches below the edge of what covers it."""

CLOTHS = ("top", "bottom", "outer", "skirt", "collar", "shoes", "socks", "hat")
"""The order of the cloths in the shaders' block."""


@dataclass
class Layer:
    """One thing to draw: `vertices` (n, 8) float32: position, normal, how far inside its cut, a second field;
    `triangles` (F, 3) of the mesh `mesh` that may be seen; what paints it, and its number in the part map."""

    mesh: str
    vertices: np.ndarray
    triangles: np.ndarray
    paint: str
    part: int
    cloth: str | None = None
    wrap: int = 0
    casts: bool = True


@dataclass
class Dressed:
    """A person ready to be posed and drawn."""

    identity: object
    body: object
    layers: list
    shade: np.ndarray


class Dresser:
    """Fits layers to bodies."""

    def __init__(self, model, meshes):
        self.model, self.meshes = model, meshes
        surface = np.unique(model.assets.quads["body"])

        def nearest(point):
            return surface[np.argmin(np.linalg.norm(model.template[surface] - np.array(point), axis=1))]

        self._back, self._crown = nearest([0, 7.6, -.95]), nearest([0, 8.45, .3])
        self._temples = nearest([.8, 7.9, -.1]), nearest([-.8, 7.9, -.1])

    def dress(self, identity):
        """The body of an identity with all that it wears."""
        model = self.model
        coefficients = model.coefficients(identity.phenotype, identity.local, identity.facial)
        body = model.shape(coefficients)
        layers = [*self._clothes(identity, body), *self._accessories(identity, body), *self._hair(identity, body),
                  *self._skin(identity, body)]
        shade = self.meshes["shade"]
        cast = _vertices(body.vertices[shade.vertices], body.normals[shade.vertices],
                         np.ones(len(shade)), np.ones(len(shade)))
        return Dressed(identity, body, [layer for layer in layers if len(layer.triangles)], cast)

    # Clothes

    def _clothes(self, identity, body):
        outfit, tights, skirt = identity.outfit, self.meshes["tights"], self.meshes["skirt"]
        at, limb = tights.template, tights.limb
        garment = _Drape(tights, body, outfit.looseness)
        outer = cuts.outer(outfit, at, limb)
        top, bottom = cuts.top(outfit, at, limb), cuts.trousers(outfit, at, limb)
        shoes = cuts.shoes(outfit, at)
        coat = outfit.outer is not None and outfit.outer.hem < .3
        if outfit.outer is not None:
            jacket = np.minimum(outer, at[:, 1] - .85) if coat else outer
            yield self._layer("tights", garment.outer(), jacket, outer, "cloth", parts.OUTER, "outer")
            if coat:
                yield from self._coat(outfit, body)
        if outfit.skirt is not None:
            at_skirt = skirt.template
            inside = cuts.skirt(outfit, at_skirt, skirt.limb)
            cover = cuts.outer(outfit, at_skirt, skirt.limb)
            yield self._layer("skirt", self._hang(outfit, body, 0), np.minimum(inside, .25 - cover), inside, "cloth",
                              parts.SKIRT, "skirt")
        yield self._layer("tights", garment.top(), np.minimum(top, .12 - outer), top, "cloth", parts.TOP, "top")
        visible = np.minimum(bottom, .12 - np.maximum(outer, shoes))
        yield self._layer("tights", garment.trousers(), np.minimum(visible, .25 - top), bottom, "cloth", parts.TROUSERS,
                          "bottom", wrap=1)
        yield self._layer("tights", garment.close(.006), shoes, shoes, "shoe", parts.SHOES, "shoes")
        socks = cuts.socks(outfit, at, limb)
        under = np.minimum(socks, .2 - np.maximum(shoes, bottom))
        yield self._layer("tights", garment.close(.0012), under, socks, "cloth", parts.SOCKS, "socks", wrap=1)

    def _coat(self, outfit, body):
        """The part of a coat below the waist hangs like a skirt."""
        mesh, cut = self.meshes["skirt"], outfit.outer
        inside = np.minimum(mesh.template[:, 1] - cut.hem, 1.6 - mesh.template[:, 1])
        edge = mesh.template[:, 1] - cut.hem
        if cut.opening > 0:
            beside = cuts.beside_opening(cut, mesh.template, mesh.limb)
            inside, edge = np.minimum(inside, beside), np.minimum(edge, beside)
        yield self._layer("skirt", self._hang(outfit, body, .012), inside, edge, "cloth", parts.OUTER, "outer")

    def _hang(self, outfit, body, extra):
        """The skirt's surface: flared or narrowed downward, with folds, `extra` metres farther out."""
        mesh, loose = self.meshes["skirt"], outfit.looseness
        points, height = mesh.fitted(body, self.model).copy(), mesh.template[:, 1]
        middle = points[:, [0, 2]].mean(0)
        widen = 1 + loose["skirt"] * np.clip((1.2 - height) / 6, 0, 1)
        points[:, [0, 2]] = middle + (points[:, [0, 2]] - middle) * widen[:, None]
        normals = mesh.normals(points)
        turn = np.arctan2(points[:, 0], points[:, 2])
        folds = np.sin(turn * 7 + outfit.sole * 40) * np.clip((1 - height) / 5, 0, 1) * .4 * loose["flare"]
        waist = np.clip((1.7 - height) / .8, 0, 1)
        points = points + normals * (.004 + .3 * loose["top"] * waist + extra + folds)[:, None]
        return points, mesh.normals(points)

    def _layer(self, mesh, placed, inside, second, paint, part, cloth=None, wrap=0, casts=True, spare=0.0):
        points, normals = placed
        triangles = self.meshes[mesh].triangles
        keep = (inside > -spare)[triangles].any(1)
        return Layer(mesh, _vertices(points, normals, inside, second), triangles[keep], paint, part, cloth, wrap, casts)

    # Accessories

    def _accessories(self, identity, body):
        outfit = identity.outfit
        if outfit.collar is not None:
            yield self._collar(outfit, body)
        if identity.glasses is not None:
            mesh = self.meshes["glasses"]
            points = mesh.fitted(body, self.model)
            whole = np.ones(len(mesh))
            yield self._layer("glasses", (points, mesh.normals(points)), whole, whole, "glasses", parts.ACCESSORY,
                              casts=False)
        if identity.hair.tied in ("visor", "brim"):
            mesh = self.meshes["brim"]
            points = mesh.fitted(body, self.model)
            out = np.hypot(mesh.template[:, 0], mesh.template[:, 2] - .3)
            turn = np.abs(np.degrees(np.arctan2(mesh.template[:, 0], mesh.template[:, 2] - .3)))
            inside = np.ones(len(mesh))
            if identity.hair.tied == "visor":
                inside = (62 - turn) * .02 - np.maximum(out - 1.85, 0)
            yield self._layer("brim", (points, mesh.normals(points)), inside, np.ones(len(mesh)), "cloth",
                              parts.ACCESSORY, "hat", wrap=2)

    def _collar(self, outfit, body):
        mesh, cut = self.meshes["collar"], outfit.collar
        template, height = mesh.template, mesh.template[:, 1]
        turn = np.arctan2(template[:, 0], template[:, 2] - .15)
        rise = np.clip((height - cut.low) / (cut.high - cut.low), 0, 1)
        opening = np.abs(turn) - cut.opening * (.25 + .75 * rise if cut.kind == "shirt" else 1)
        inside = np.minimum(np.minimum(height - cut.low, cut.high - height), opening if cut.opening else 9)
        away = cut.offset + cut.lean * (rise if cut.kind == "shirt" else np.sin(np.pi * rise))
        if cut.kind == "hood":
            away = away * (.5 - .5 * np.cos(turn)) * 1.6 + .03
        if cut.kind == "scarf":
            away = away + .05 * np.sin(turn * 3 + height * 5)
        points = mesh.fitted(body, self.model)
        points = points + mesh.normals(points) * (away / DECIMETRE)[:, None]
        part = {"scarf": parts.ACCESSORY, "hood": parts.OUTER if outfit.outer else parts.TOP}.get(cut.kind, parts.TOP)
        placed = points, mesh.normals(points)
        return self._layer("collar", placed, inside, np.ones(len(mesh)), "cloth", part, "collar", wrap=2)

    # Hair

    def _hair(self, identity, body):
        hair = identity.hair
        if hair.cut is not None:
            yield self._curtain(identity, body)
        if hair.tied in ("bun", "knot", "tail", "tails"):
            yield from self._tied(hair, body)
        if hair.style != "bald":
            yield self._scalp(hair, body)

    def _scalp(self, hair, body):
        mesh = self.meshes["scalp"]
        points, normals, at = body.vertices[mesh.vertices], body.normals[mesh.vertices], mesh.template
        outward = unit(points - (points.mean(0) - np.array([0, .01, 0])))
        outward = unit(mesh.smoothed(unit(normals + outward), 3))
        inside = cuts.hairline(hair, at)
        length = hair.length * (.35 + .65 * np.clip((at[:, 1] - 6.6) / 1.2, 0, 1))
        length = length * np.clip(inside / .25, .15, 1)
        if hair.style == "crop":
            length = length * (1 + .5 * np.clip((at[:, 1] - 7.9) * 2, 0, 1))
        if hair.covered:
            inside = np.minimum(inside, at[:, 1] - 7.55) if hair.style != "headscarf" else inside
            placed, edge = (points + outward * length[:, None], outward), np.minimum(inside, .3)
            return self._layer("cap", placed, inside, edge, "cloth", parts.ACCESSORY, "hat", wrap=2)
        shells = np.linspace(0, 1, SHELLS)
        placed = np.concatenate([points + outward * (length * shell + .0008)[:, None] for shell in shells])
        inside, outward = np.tile(inside, SHELLS), np.tile(outward, (SHELLS, 1))
        return self._layer("scalp", (placed, outward), inside, inside, "scalp", parts.HAIR)

    def _curtain(self, identity, body):
        hair, mesh, loose = identity.hair, self.meshes["curtain"], identity.outfit.looseness
        at = mesh.template
        points = mesh.fitted(body, self.model)
        normals = mesh.normals(points)
        crown = body.vertices[self._crown] - np.array([0, .1, 0])
        normals = np.where(np.einsum("ij,ij->i", normals, points - crown)[:, None] < 0, -normals, normals)
        turn = np.degrees(np.arctan2(at[:, 0], at[:, 2] - .3)) - hair.parting
        low = np.clip((6.3 - at[:, 1]) / .8, 0, 1)
        clear = .006 + .5 * loose["top"] + (.022 if identity.outfit.outer else 0) \
            + (.02 if identity.outfit.collar else 0)
        waves = hair.wave * np.sin(at[:, 1] * 4.2 + np.radians(turn) * 3) * np.clip((7.6 - at[:, 1]) / 1.5, 0, 1)
        points = points + normals * (hair.volume + low * clear + waves)[:, None]
        inside = curtain_cut(hair, at[:, 1], turn)
        if hair.style == "headscarf":
            return self._layer("curtain", (points, normals), inside, np.minimum(inside, .3), "cloth", parts.ACCESSORY,
                               "hat", wrap=2)
        if hair.covered:
            inside = np.minimum(inside, 7.6 - at[:, 1])
        return self._layer("curtain", (points, normals), inside, inside, "curtain", parts.HAIR, spare=.2)

    def _tied(self, hair, body):
        back, crown = body.vertices[self._back], body.vertices[self._crown]
        if hair.tied == "tails":
            for name, temple, sign in (("knot", self._temples[0], 1), ("knot2", self._temples[1], -1)):
                root = body.vertices[temple] + np.array([.012 * sign, .01, -.01])
                yield self._tail(name, root, .020 + hair.volume, .09, 0)
        elif hair.tied == "tail":
            root, half_length = back + np.array([0, .025, .012]), .09 + 4 * hair.wave + 3 * hair.volume
            yield self._tail("knot", root, .028 + hair.volume, half_length, .055)
        else:
            share = .55 if hair.tied == "bun" else .05
            centre = share * back + (1 - share) * crown + np.array([0, .02, -.03 * share])
            yield self._knot("knot", centre + self._ball("knot") * (.036 + hair.volume))

    def _ball(self, name):
        mesh = self.meshes[name]
        return (mesh.template - np.array([0, 7.8, -1.])) / .5

    def _tail(self, name, root, radius, half_length, back):
        """A ball drawn out to a tail that hangs from `root`, bowed `back` metres away from the neck."""
        ball = self._ball(name)
        down = (1 - ball[:, 1]) / 2
        width = radius * (1.15 - .5 * down)
        points = np.stack([ball[:, 0] * width, -down * 2 * half_length, ball[:, 2] * width], 1)
        points[:, 2] -= back * np.sin(np.pi * np.clip(down * .9, 0, 1))
        return self._knot(name, points + root)

    def _knot(self, name, points):
        mesh = self.meshes[name]
        whole = np.ones(len(mesh))
        return self._layer(name, (points, mesh.normals(points)), whole, whole * 0, "hair", parts.HAIR)

    # Skin

    def _skin(self, identity, body):
        outfit, mesh = identity.outfit, self.meshes["body"]
        at, limb = mesh.template, mesh.limb
        covered = np.maximum.reduce([
            cuts.top(outfit, at, limb), cuts.outer(outfit, at, limb), cuts.trousers(outfit, at, limb),
            cuts.skirt(outfit, at, limb) - .2, cuts.shoes(outfit, at)])
        placed = body.vertices[mesh.vertices], body.normals[mesh.vertices]
        for name in ("lashes", "eyes"):
            small = self.meshes[name]
            whole = np.ones(len(small))
            yield self._layer(name, (body.vertices[small.vertices], body.normals[small.vertices]), whole, whole, name,
                              parts.EYES, casts=False)
        growing = cuts.hairline(identity.hair, at)
        yield self._layer("body", placed, UNDERLAP - covered, growing, "skin", parts.HEAD, casts=False)


def curtain_cut(hair, height, turn):
    """Where the curtain of long hair is: below the parting or fringe, beside the face, above where it ends."""
    away = np.abs(turn)
    over_shoulder = cuts.smoothstep(50, 62, away) * cuts.smoothstep(135, 118, away)
    end = np.maximum(hair.cut, 5.75 * over_shoulder)
    face = np.where(height > 7.5, 66 * cuts.smoothstep(hair.fringe, 7.55, height),
                    66 + 8 * cuts.smoothstep(7.5, 6.6, height))
    if hair.fringe < 7.75:
        face = 66 * cuts.smoothstep(hair.fringe + .06, hair.fringe - .06, height) \
            + 8 * cuts.smoothstep(7.5, 6.6, height)
    low = cuts.smoothstep(6.7, 6.0, height)
    face = face * (1 - low) + hair.cheek * low
    return np.minimum(height - end, (away - face) * .02)


class _Drape:
    """Offsets of the tights' surface: how shirts, trousers, jackets and shoes stand off the body."""

    def __init__(self, mesh, body, loose):
        self.mesh, self.loose = mesh, loose
        self.points = body.vertices[mesh.vertices]
        self.smooth = mesh.smoothed(self.points, 12)
        self.normals = mesh.normals(self.smooth)
        self.height, self.limb = mesh.template[:, 1], mesh.limb
        self.bulge = np.einsum("ij,ij->i", self.smooth - self.points, self.normals)
        trunk, arm = self.limb[:, 1] < .5, self.limb[:, 1] > .3
        self.room = np.clip((5. - self.height) / 4, 0, 1) * loose["top"] * .8 * trunk \
            + loose["sleeves"] * np.clip(self.limb[:, 0], 0, 1.2) * arm

    def close(self, distance):
        """Just off the body."""
        points = self.points + self.normals * distance
        return points, self.mesh.normals(points)

    def top(self):
        """A shirt."""
        return self._off(.003 + self.loose["top"], self.loose["boxy"], self.room)

    def outer(self):
        """A jacket over it."""
        return self._off(.009 + self.loose["top"], .9, self.room * 1.25 + .003)

    def trousers(self):
        """Trousers, wider towards the feet where they flare."""
        flare = np.clip((-self.height - 1.5) / 5.5, 0, 1) * self.loose["flare"]
        return self._off(.002 + self.loose["bottom"] * .6, .35, np.minimum(flare, .05))

    def _off(self, distance, boxy, extra):
        below_neck = np.clip((6.05 - self.height) / .5, 0, 1)
        bridged = boxy * below_neck * (self.height > -7) * self.bulge
        out = np.maximum(bridged, 0) + distance * (.25 + .75 * below_neck) + extra * below_neck
        points = self.points + self.normals * out[:, None]
        return points, self.mesh.normals(points)


def _vertices(points, normals, inside, second):
    return np.concatenate([points, normals, inside[:, None], second[:, None]], 1).astype(np.float32)
