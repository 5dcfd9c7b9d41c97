"""Draws dressed people with OpenGL through EGL: a GPU where there is one, Mesa's software renderer where not.

A picture takes three passes: depth seen from the light, the people at a multiple of the picture's size,
and their average over the background. Programs and vertex arrays are made once; per identity vertices and
triangles are uploaded, per picture nothing but bones, camera and light.
"""

from pathlib import Path

import numpy as np

from . import parts, uniforms
from .camera import distance_of_depth
from .dressing import CLOTHS
from .meshes import SHELLS
from .rotations import Y, cross, unit
from .signing import CALM
from .wardrobe import PATTERNS

SHADOW_SIZE = 512
_CASTERS = 1.45
_DYNAMIC = (("position", 3), ("normal", 3), ("cut", 2))
_STATIC = (("template_position", 3), ("limb", 2), ("shell", 1), ("weights", 4), ("joints", 4))
_SLOTS = {  # what is drawn from each mesh: a slot has buffers of its own
    "tights": ("outer", "top", "bottom", "shoes", "socks"), "skirt": ("skirt", "outer"), "body": (None,),
    "eyes": (None,), "lashes": (None,), "scalp": (None,), "cap": ("hat",), "curtain": (None, "hat"),
    "knot": (None,), "knot2": (None,),
    "brim": ("hat",), "collar": ("collar",), "glasses": (None,)}
_CLOSED = ("skin", "scalp", "eyes", "shoe")
"""What is painted so has no inside that could be seen: triangles that face away are left out."""

_LASH_COLOR = (.03, .025, .02)


class RendererUnavailable(RuntimeError):
    """OpenGL through EGL cannot be used on this machine."""


def _source(*names, defines=""):
    folder = Path(__file__).parent / "shaders"
    return "#version 330\n" + defines + "".join((folder / f"{name}.glsl").read_text() for name in names)


class Renderer:
    """Pictures of one size, people drawn at `samples` times it."""

    def __init__(self, meshes, size=256, samples=2):
        try:
            import moderngl
            self._gl = gl = moderngl.create_standalone_context(backend="egl")
        except Exception as error:  # moderngl's backends raise whatever the driver made them
            raise RendererUnavailable(
                f"OpenGL 3.3 through EGL expected (Debian: libegl1 libgl1-mesa-dri): {error}") from error
        self.size, self.samples, self._meshes = size, samples, meshes
        self._blocks = {name: gl.buffer(reserve=uniforms.SIZES[name], dynamic=True) for name in uniforms.BLOCKS}
        for name, number in uniforms.BLOCKS.items():
            self._blocks[name].bind_to_uniform_block(number)
        self._make_targets()
        self._programs = {}
        self._shadow_program = self.program("shadow")
        self._slots = {(mesh, cloth): _Slot(gl, meshes[mesh], SHELLS if mesh == "scalp" else 1)
                       for mesh, cloths in _SLOTS.items() for cloth in cloths}
        self._shade = _Slot(gl, meshes["shade"], 1)
        self._draws = []

    @property
    def device(self):
        """The name of what draws."""
        return self._gl.info["GL_RENDERER"]

    def _make_targets(self):
        gl, side = self._gl, self.size * self.samples
        self._color = gl.texture((side, side), 4)
        self._depth = gl.depth_texture((side, side))
        self._surface = gl.texture((side, side), 4, dtype="f2")
        self._target = gl.framebuffer([self._color, self._surface], self._depth)
        self._shadow = gl.depth_texture((SHADOW_SIZE, SHADOW_SIZE))
        for texture in (self._depth, self._shadow):
            texture.compare_func = ""
            texture.filter = (gl.NEAREST, gl.NEAREST)
        self._shadow_target = gl.framebuffer([], self._shadow)
        self._result = gl.framebuffer([gl.texture((self.size, self.size), 4)])
        self._background = gl.texture((self.size, self.size), 3, alignment=1)
        self._background.filter = (gl.LINEAR, gl.LINEAR)
        self._background.repeat_x = self._background.repeat_y = False
        resolve = self._linked(_source("screen.vertex"), _source("blocks", "resolve.fragment"))
        for name, unit_number in (("people", 2), ("background", 0), ("shadow_map", 1)):
            resolve[name].value = unit_number
        resolve["samples"].value = self.samples
        corners = gl.buffer(np.array([-1, -1, 1, -1, -1, 1, 1, 1], np.float32))
        self._resolve = gl.vertex_array(resolve, [(corners, "2f", "corner")])
        self._furniture = gl.buffer(reserve=36 * 8 * 24, dynamic=True)
        program = self._linked(_source("blocks", "world.vertex"), _source("blocks", "lighting", "plain.fragment"))
        self._furniture_program = program
        self._furniture_array = gl.vertex_array(program, [(self._furniture, "3f 3f", "position", "normal")])

    def _linked(self, vertex, fragment):
        program = self._gl.program(vertex, fragment)
        for name, number in uniforms.BLOCKS.items():
            if name in program:
                program[name].binding = number
        if "shadow_map" in program:
            program["shadow_map"].value = 1
        return program

    def program(self, paint, pattern=None, printed=False):
        """The program that paints a layer, built at its first use."""
        key = paint, pattern, printed
        if key not in self._programs:
            if paint == "shadow":
                program = self._linked(_source("blocks", "shadow.vertex"), _source("shadow.fragment"))
            else:
                shared = ("blocks", "noise", "lighting")
                defines = ""
                if paint == "cloth":
                    shared += ("patterns",)
                    defines = f"#define PATTERN {PATTERNS.index(pattern)}\n#define PRINTED {int(printed)}\n"
                fragment = _source(*shared, f"{paint}.fragment", defines=defines)
                program = self._linked(_source("blocks", "vertex"), fragment)
            self._programs[key] = program
        return self._programs[key]

    # An identity

    def wear(self, dressed):
        """Takes up a person; the pictures that follow show it."""
        identity = dressed.identity
        self._blocks["Person"].write(uniforms.person(identity))
        self._shade.fill(dressed.shade, self._meshes["shade"].triangles)
        self._draws = []
        cloths = {**identity.outfit.cloths, "hat": identity.hat}
        for layer in dressed.layers:
            slot = self._slots[layer.mesh, layer.cloth]
            slot.fill(layer.vertices, layer.triangles)
            values = {"part": layer.part}
            if layer.paint == "cloth":
                cloth = cloths[layer.cloth]
                program = self.program("cloth", cloth.pattern, cloth.print != "none")
                values["wrap_around"] = layer.wrap
            elif layer.paint in ("lashes", "glasses"):
                program = self.program("plain")
                values["color"] = _LASH_COLOR if layer.paint == "lashes" else tuple(identity.glasses)
            else:
                program = self.program("hair" if layer.paint == "curtain" else layer.paint)
                values["strands"] = .55 if layer.paint == "curtain" else .3
                values["sole"] = float(identity.outfit.sole)
            if layer.cloth:
                values["cloth"] = CLOTHS.index(layer.cloth)
            values = {name: value for name, value in values.items() if name in program}
            self._draws.append((slot, program, values, layer))

    def set_background(self, image):
        """uint8 (size, size, 3), top row first."""
        self._background.write(np.ascontiguousarray(image[::-1]).tobytes())

    # A picture

    def draw(self, skeleton, camera, light, furniture=None, mood=CALM):
        """(picture uint8 (size, size, 3), part map uint8 (size, size), `Depth`, `Surface`)."""
        gl = self._gl
        self._blocks["Bones"].write(uniforms.bones(skeleton))
        self._blocks["Frame"].write(uniforms.frame(camera, light, light_view(light.direction), mood))
        self._shadow_target.use()
        self._shadow_target.clear(depth=1.)
        gl.enable_only(gl.DEPTH_TEST | gl.CULL_FACE)
        self._shade.draw(self._shadow_program)
        gl.enable_only(gl.DEPTH_TEST)
        for slot, _, _, layer in self._draws:
            if layer.casts:
                slot.draw(self._shadow_program)
        self._target.use()
        self._target.clear()
        self._shadow.use(1)
        for slot, program, values, layer in self._draws:
            gl.enable_only(gl.DEPTH_TEST | gl.CULL_FACE if layer.paint in _CLOSED else gl.DEPTH_TEST)
            for name, value in values.items():
                program[name].value = value
            slot.draw(program)
        gl.enable_only(gl.DEPTH_TEST)
        if furniture is not None:
            self._draw_furniture(furniture)
        gl.enable_only(gl.NOTHING)
        self._result.use()
        self._color.use(2)
        self._background.use(0)
        self._resolve.render(gl.TRIANGLE_STRIP)
        pixels = np.frombuffer(self._result.read(components=4), np.uint8).reshape(self.size, self.size, 4)[::-1]
        return (np.ascontiguousarray(pixels[..., :3]), pixels[..., 3].copy(), Depth(self._depth, self.samples),
                Surface(self._surface))

    def _draw_furniture(self, furniture):
        vertices, color = furniture
        program = self._furniture_program
        self._furniture.write(vertices.astype(np.float32).tobytes())
        program["color"].value, program["part"].value = tuple(color), parts.FURNITURE
        self._furniture_array.render(self._gl.TRIANGLES, vertices=len(vertices))


class Depth:
    """How far things are in a picture, read back only when asked."""

    def __init__(self, texture, samples):
        side = texture.size[0]
        self._values = np.frombuffer(texture.read(), np.float32).reshape(side, side)
        self._samples = samples

    def at(self, pixels):
        """Distances along the view at pixels (n, 2), the nearest pixel's outside the picture."""
        side = len(self._values)
        columns = np.clip((pixels[:, 0] * self._samples).astype(int), 0, side - 1)
        rows = side - 1 - np.clip((pixels[:, 1] * self._samples).astype(int), 0, side - 1)
        return distance_of_depth(self._values[rows, columns].astype(float))


class Surface:
    """Which place on the person is seen where.

    Places are those of the body at rest, which all people and clothes share, so the same place in two pictures of a
    person is the same piece of skin or cloth.
    """

    def __init__(self, texture):
        side = texture.size[0]
        self._values = np.frombuffer(texture.read(), np.float16).reshape(side, side, 4)[::-1]

    def cells(self, side):
        """uint8 (side, side, 4), at the middle of each cell: the place in steps of `parts.PLACE_STEP`, and the
        part, 0 where nothing is."""
        middle = ((np.arange(side) + .5) * len(self._values) / side).astype(int)
        found = self._values[middle[:, None], middle].astype(np.float32)
        places = np.clip(np.rint((found[..., :3] - parts.PLACE_ORIGIN) / parts.PLACE_STEP), 0, 255)
        return np.concatenate([places, np.rint(found[..., 3:])], -1).astype(np.uint8)


class _Slot:
    """Buffers of one layer: what a mesh always has, and what changes with the person."""

    def __init__(self, gl, mesh, copies):
        n = len(mesh)
        shell = np.repeat(np.linspace(0, 1, copies) if copies > 1 else np.zeros(1), n)
        static = np.concatenate([np.tile(a, (copies, 1)) for a in (mesh.template, mesh.limb)] + [shell[:, None]]
                                + [np.tile(a, (copies, 1)) for a in (mesh.weights, mesh.bones)], 1).astype(np.float32)
        self._gl, self._mesh_size, self._copies = gl, n, copies
        self._static = gl.buffer(static.tobytes())
        self._dynamic = gl.buffer(reserve=n * copies * 32, dynamic=True)
        self._index = gl.buffer(reserve=max(len(mesh.triangles) * copies * 12, 12), dynamic=True)
        self._arrays, self._count = {}, 0

    def fill(self, vertices, triangles):
        """Uploads a person's vertices and the triangles to draw."""
        if self._copies > 1:
            triangles = (triangles[None] + np.arange(self._copies)[:, None, None] * self._mesh_size).reshape(-1, 3)
        self._dynamic.write(vertices.tobytes())
        self._index.write(triangles.astype(np.int32).tobytes())
        self._count = 3 * len(triangles)

    def draw(self, program):
        """Draws with a program, whose array is made the first time."""
        array = self._arrays.get(program)
        if array is None:
            content = [_attributes(program, self._dynamic, _DYNAMIC), _attributes(program, self._static, _STATIC)]
            array = self._gl.vertex_array(program, [c for c in content if c], self._index)
            self._arrays[program] = array
        array.render(self._gl.TRIANGLES, vertices=self._count)


def _attributes(program, buffer, layout):
    """The part of a vertex format that a program uses."""
    formats = [f"{count}f" if name in program else f"{count}x4" for name, count in layout]
    used = [name for name, _ in layout if name in program]
    return (buffer, " ".join(formats), *used) if used else None


def light_view(direction):
    """The orthographic view (4, 4) from a light onto people who stand at the origin."""
    centre = np.array([0, .85, 0])
    right = unit(cross(-direction, Y))
    view = np.eye(4)
    view[:3, :3] = right, cross(right, -direction), direction
    view[:3, 3] = -view[:3, :3] @ (centre + direction * 4)
    lens = np.diag([1 / _CASTERS, 1 / _CASTERS, -2 / 7, 1.])
    lens[2, 3] = -8 / 7
    return lens @ view
