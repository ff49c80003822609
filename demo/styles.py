"""Three ways to put a scene on pixels.

- ``photo``   rounded relief, light, cast shadows, textures, clutter, lens blur, sensor noise
- ``poster``  flat fills with a crescent of shade and a dark outline on a graphic background
- ``crayon``  hatched wax strokes and a wobbly double outline on toothy paper
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from demo.scene import Scene
from demo.sketch import Colour, Part, Points, ellipse, rgb, shade

Pixels = np.ndarray  # float (height, width, 3) or (height, width), 0..1
Box = tuple[int, int, int, int]  # left, top, right, bottom


# ---- shared by the styles ------------------------------------------------------------------


def stencil(part: Part, corner: Points, size: tuple[int, int], scale: int) -> Image.Image:
    """A part's area, 255 on 0, drawn `scale` times larger on a sheet with the given corner."""
    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    pen.polygon(flat(part.boundary * scale - corner), fill=255)
    for hole in part.holes:
        pen.polygon(flat(hole * scale - corner), fill=0)
    return mask


def coverage(part: Part, box: Box, oversample: int) -> Pixels:
    """The anti-aliased share of each pixel of the box that a part covers."""
    left, top, right, bottom = np.array(box) * oversample
    mask = stencil(part, np.array([left, top]), (int(right - left), int(bottom - top)), oversample)
    return np.asarray(mask.reduce(oversample), dtype=np.float32) / 255


def flat(points: Points) -> list[tuple[float, float]]:
    """Points as Pillow wants them."""
    return [(float(x), float(y)) for x, y in points]


def extent(part: Part, scene: Scene, margin: int = 2) -> Box | None:
    """The pixels that a part may touch, or None when it lies outside the picture."""
    low = np.floor(part.boundary.min(axis=0)).astype(int) - margin
    high = np.ceil(part.boundary.max(axis=0)).astype(int) + margin
    left, top = np.maximum(low, 0)
    right, bottom = np.minimum(high, (scene.width, scene.height))
    return (int(left), int(top), int(right), int(bottom)) if right > left and bottom > top else None


def clouds(rng: np.random.Generator, height: int, width: int, scale: float) -> Pixels:
    """Smooth noise, mean 0 and standard deviation about 1, with features of `scale` pixels."""
    rows, columns = max(2, int(height / scale) + 2), max(2, int(width / scale) + 2)
    grid = Image.fromarray(rng.normal(0, 1, (rows, columns)).astype(np.float32))
    return np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC))


def to_image(pixels: Pixels) -> Image.Image:
    """Float pixels as an RGB picture."""
    return Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))


def to_pixels(image: Image.Image) -> Pixels:
    """An RGB picture as float pixels."""
    return np.asarray(image, dtype=np.float32) / 255


def blend(under: Pixels, over: Pixels | Colour, alpha: Pixels) -> Pixels:
    """`over` laid on `under` with the given opacity."""
    return under + (np.asarray(over, dtype=np.float32) - under) * alpha[..., None]


# ---- photo ---------------------------------------------------------------------------------

SURFACES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # setting: colours behind, colours underfoot
    "sky": (("#8fb8dd", "#b9cfe0", "#6f9fd0", "#c9d3da"), ("#a9c4d8", "#d9dfe2", "#8fb8dd")),
    "field": (("#8fae7a", "#a9c3cf", "#6f8a5a", "#b9b79a"), ("#7a9150", "#a08a5a", "#6a7d45")),
    "table": (("#b9a994", "#8f9aa3", "#c9c0b4", "#6f6a66"), ("#9a7650", "#7d6a58", "#c9bba6")),
    "wall": (("#cfc6b4", "#b9c3c9", "#d9d0d0", "#a9b39a"), ("#c0b4a0", "#a8b0b6", "#c9bcbc")),
    "sea": (("#4f8fa8", "#3f7a9a", "#c9b78f"), ("#3a7a94", "#c2ad84", "#5a9aa0")),
}


def photo(scene: Scene, rng: np.random.Generator) -> Image.Image:
    """Lit, textured, slightly out of focus."""
    pixels = photo_backdrop(scene, rng)
    turn = rng.uniform(-2.6, -0.5)
    light = np.array([np.cos(turn), np.sin(turn), rng.uniform(0.9, 1.5)])
    light /= np.linalg.norm(light)
    for thing in scene.things:
        cast_shadow(pixels, thing, scene, light)
        for part in thing:
            paint_lit(pixels, part, scene, light, rng)
    return develop(pixels, scene, rng)


def photo_backdrop(scene: Scene, rng: np.random.Generator) -> Pixels:
    """A wall or sky above a surface, grainy, with blurred clutter in it."""
    setting = scene.setting if rng.random() < 0.65 else rng.choice(list(SURFACES))
    behind, under = (np.array(rgb(codes[rng.integers(len(codes))])) for codes in SURFACES[setting])
    height, width = scene.height, scene.width
    rows = np.linspace(0, 1, height)[:, None]
    horizon = rng.uniform(0.45, 0.75) + 0.02 * clouds(rng, 1, width, width / 3)
    edge = rng.uniform(0.01, 0.08)
    floor = 1 / (1 + np.exp(-np.clip((rows - horizon) / edge, -30, 30)))
    pixels = blend(np.ones((height, width, 3)) * behind, under, floor)
    for scale, depth in ((width / 2, 0.06), (12, 0.035), (3, 0.03)):
        pixels = pixels * (1 + depth * clouds(rng, height, width, scale))[..., None]
    return clutter(pixels, rng)


def clutter(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Out-of-focus boxes and discs behind the subject."""
    height, width = pixels.shape[:2]
    image = to_image(pixels)
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(2, 9)):
        middle = rng.uniform(0, 1, 2) * (width, height)
        reach = rng.uniform(0.04, 0.2, 2) * width
        nearby = pixels[int(middle[1]) % height, int(middle[0]) % width]
        tone = np.clip(nearby * rng.uniform(0.6, 1.3) + rng.normal(0, 0.09, 3), 0, 1)
        corners = [*(middle - reach), *(middle + reach)]
        fill = tuple(int(value * 255) for value in tone)
        (pen.ellipse if rng.random() < 0.5 else pen.rectangle)(corners, fill=fill)
    blurred = to_pixels(image.filter(ImageFilter.GaussianBlur(rng.uniform(3, 8))))
    return blurred + (pixels - pixels.mean(axis=(0, 1))) * 0.25


def cast_shadow(pixels: Pixels, thing: list[Part], scene: Scene, light: Pixels) -> None:
    """Darken, softly, what lies on the far side of a thing from the light."""
    if scene.setting == "sky":
        return
    mask = Image.new("L", (scene.width, scene.height))
    pen = ImageDraw.Draw(mask)
    reach = 0.05 * scene.short
    for part in thing:
        pen.polygon(flat(part.boundary - light[:2] * reach), fill=255)
    soft = mask.filter(ImageFilter.GaussianBlur(0.035 * scene.short))
    pixels *= 1 - 0.5 * (np.asarray(soft, dtype=np.float32) / 255)[..., None]


def paint_lit(
    pixels: Pixels, part: Part, scene: Scene, light: Pixels, rng: np.random.Generator
) -> None:
    """Paint one part as a rounded, lit, textured surface with a soft edge shadow below it."""
    box = extent(part, scene, margin=4)
    if box is None:
        return
    left, top, right, bottom = box
    mask = coverage(part, box, 2)
    view = pixels[top:bottom, left:right]
    if mask.size < 150 or part.relief == 0:
        view[:] = blend(view, part.colour, mask)
        return
    thickness = np.sqrt(mask.sum() / np.pi)
    contact = soften(mask, max(1, int(0.06 * thickness) + 1))
    view *= 1 - 0.35 * part.relief * contact[..., None]
    surface = np.asarray(part.colour, dtype=np.float32) * relief_light(mask, part, light, thickness)
    grain = 0.09 if part.material == "fur" else 0.035
    texture = clouds(rng, *mask.shape, 2.2) + 0.8 * clouds(rng, *mask.shape, 9)
    surface = surface * (1 + grain * texture)[..., None]
    if part.material == "glossy":
        surface = surface + gloss(mask, light, thickness)[..., None]
    view[:] = blend(view, np.clip(surface, 0, 1), mask)


def relief_light(mask: Pixels, part: Part, light: Pixels, thickness: float) -> Pixels:
    """Lambert shading of the mask inflated like a cushion; (height, width, 1)."""
    tall, steep = normals(mask, thickness, part.relief)
    facing = (light[2] - steep[0] * light[0] - steep[1] * light[1]) / tall
    return (0.42 + 0.72 * np.clip(facing, 0, 1.2))[..., None].astype(np.float32)


def gloss(mask: Pixels, light: Pixels, thickness: float) -> Pixels:
    """A highlight where the inflated mask mirrors the light."""
    tall, steep = normals(mask, thickness, 0.9)
    half = np.add(light, (0, 0, 1))
    half = half / np.linalg.norm(half)
    facing = (half[2] - steep[0] * half[0] - steep[1] * half[1]) / tall
    return 0.5 * np.clip(facing, 0, 1) ** 26


def normals(mask: Pixels, thickness: float, relief: float) -> tuple[Pixels, tuple[Pixels, Pixels]]:
    """Length and slopes (x, y) of the surface normals of a softened mask."""
    radius = max(1, int(0.3 * thickness))
    hill = soften(soften(mask, radius), radius) * thickness * relief * 1.1
    down, across = np.gradient(hill)
    return np.sqrt(1 + across**2 + down**2), (across, down)


def soften(values: Pixels, radius: int) -> Pixels:
    """Box blur of the given radius along both axes, in floating point."""
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (radius + 1, radius)
        total = np.cumsum(np.pad(values, padding), axis=axis)
        size = values.shape[axis]
        ahead = np.take(total, np.arange(size) + 2 * radius + 1, axis=axis)
        values = (ahead - np.take(total, np.arange(size), axis=axis)) / (2 * radius + 1)
    return values


def develop(pixels: Pixels, scene: Scene, rng: np.random.Generator) -> Image.Image:
    """Lens blur, falling light, white balance, exposure and sensor noise."""
    sharp = to_image(pixels).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.1)))
    pixels = to_pixels(sharp)
    y, x = np.mgrid[-1 : 1 : scene.height * 1j, -1 : 1 : scene.width * 1j]
    tilt = rng.normal(0, 0.09, 2)
    falloff = 1 + tilt[0] * x + tilt[1] * y - rng.uniform(0, 0.16) * (x * x + y * y)
    balance = rng.uniform(0.82, 1.14) * (1 + rng.normal(0, 0.035, 3))
    pixels = np.clip(pixels * falloff[..., None] * balance, 0, 1) ** rng.uniform(0.85, 1.2)
    return to_image(pixels + rng.normal(0, rng.uniform(0.008, 0.03), pixels.shape))


# ---- poster --------------------------------------------------------------------------------

POSTER_INK = rgb("#1f2140")
POSTER_PAPERS = ("#f6e7c8", "#f2c14e", "#ef8a6b", "#7cc6c3", "#a7d8a0", "#8fb8e8", "#d9b8e0",
                 "#f4f1ea", "#3f5c8a", "#f0a6b8")  # fmt: skip
SCALE = 4  # posters are drawn this much larger, then reduced


def poster(scene: Scene, rng: np.random.Generator) -> Image.Image:
    """Flat colours, a crescent of shade, one bold outline."""
    size = (scene.width * SCALE, scene.height * SCALE)
    image = poster_backdrop(size, rng)
    line = max(4, round(0.011 * scene.short * SCALE))
    slant = rng.choice([-1, 1])
    for thing in scene.things:
        for part in thing:
            fill_flat(image, part, slant)
            pen = ImageDraw.Draw(image)
            for edge in part.ink:
                pen.line(flat(edge * SCALE), fill=bytes_of(POSTER_INK), width=line, joint="curve")
    return image.reduce(SCALE)


def fill_flat(image: Image.Image, part: Part, slant: int) -> None:
    """Fill a part with its poster colour and shade the side away from the light."""
    corner = np.floor(part.boundary.min(axis=0) * SCALE)
    width, height = (np.ceil(part.boundary.max(axis=0) * SCALE) - corner + 1).astype(int)
    mask = stencil(part, corner, (int(width), int(height)), SCALE)
    colour, at = vivid(part.colour), (int(corner[0]), int(corner[1]))
    image.paste(bytes_of(colour), at, mask)
    if part.relief >= 0.5:
        step = int(0.13 * min(width, height))
        lit = Image.new("L", mask.size)
        lit.paste(mask, (-step * slant, -step))
        image.paste(bytes_of(shade(colour, 0.8)), at, ImageChops.subtract(mask, lit))


def vivid(colour: Colour) -> Colour:
    """The colour a screen printer would take: more saturated, in few steps of brightness."""
    values = np.asarray(colour)
    grey = values.mean()
    return tuple(np.round(np.clip(grey + 1.45 * (values - grey) + 0.03, 0, 1) * 7) / 7)


def bytes_of(colour: Colour) -> tuple[int, int, int]:
    """A colour in 0..255."""
    red, green, blue = (round(float(value) * 255) for value in colour)
    return red, green, blue


def poster_backdrop(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """A plain field, rays, a disc, stripes, dots or hills in two colours."""
    first, second = rng.choice(len(POSTER_PAPERS), 2, replace=False)
    image = Image.new("RGB", size, POSTER_PAPERS[first])
    pen, tone = ImageDraw.Draw(image), POSTER_PAPERS[second]
    middle, reach = np.array(size) / 2, max(size)
    match rng.choice(["plain", "rays", "disc", "stripes", "dots", "hills"]):
        case "rays":
            for turn in np.radians(np.arange(0, 360, 30) + rng.uniform(0, 30)):
                tips = [(np.cos(turn + d), np.sin(turn + d)) for d in (-0.13, 0.13)]
                pen.polygon(flat(np.vstack([middle, middle + reach * np.array(tips)])), fill=tone)
        case "disc":
            radius = rng.uniform(0.34, 0.46) * min(size)
            pen.polygon(flat(ellipse(tuple(middle), (radius, radius), points=120)), fill=tone)
        case "stripes":
            step = reach / rng.integers(5, 9)
            for start in np.arange(-reach, 2 * reach, 2 * step):
                corners = [(0, 0), (step, 0), (step - reach / 2, reach), (-reach / 2, reach)]
                pen.polygon(flat(np.add(corners, (start, 0))), fill=tone)
        case "dots":
            step = reach / rng.integers(8, 13)
            for row, y in enumerate(np.arange(0, reach + step, step)):
                for x in np.arange(0, reach + step, step) + (row % 2) * step / 2:
                    pen.polygon(flat(ellipse((x, y), (step / 5, step / 5), points=24)), fill=tone)
        case "hills":
            level = rng.uniform(0.6, 0.75) * size[1]
            x = np.linspace(0, size[0], 60)
            wave = level + 0.05 * size[1] * np.sin(x / size[0] * 5 + rng.uniform(0, 6))
            hill = np.column_stack([x, wave])
            pen.polygon(flat(np.vstack([hill, [size, (0, size[1])]])), fill=tone)
    return image


# ---- crayon --------------------------------------------------------------------------------

CRAYON_PAPERS = ("#f4efe2", "#efe6d2", "#e6ecef", "#f2e3dd", "#d9c6a5", "#e4ecd9")
CRAYON_GROUNDS = {
    # setting: colours behind, colours below
    "sky": (("#7fb2e0", "#a3c9e8", "#f0c48a"), ("#a9d0ea", "#c9dcea", "#8fb8dd")),
    "field": (("#a9d0ea", "#cfe3d0", "#f2d9a0"), ("#6f9f4a", "#93ad4c", "#b99a5a")),
    "table": (("#e8cfa8", "#c9d3e0", "#e3bfb4", "#cfdcc0"), ("#b07a48", "#c98f5a", "#8f8a9a")),
    "wall": (("#d9b8a5", "#b3c6d6", "#dcd0a0"), ("#a98f7a", "#8fa0b0", "#b9a582")),
    "sea": (("#3f8fa8", "#58a8b8"), ("#3a7fa0", "#d9c38a")),
}


def crayon(scene: Scene, rng: np.random.Generator) -> Image.Image:
    """Wax on paper: hatching that leaves the tooth white, outlines drawn twice."""
    tooth = clouds(rng, scene.height, scene.width, 1.6)
    paper = rgb(CRAYON_PAPERS[rng.integers(len(CRAYON_PAPERS))])
    pixels = np.ones((scene.height, scene.width, 3), np.float32) * np.float32(paper)
    pixels *= (1 + 0.018 * tooth)[..., None]
    scribble_ground(pixels, scene, tooth, rng)
    for thing in scene.things:
        slope = rng.uniform(20, 70) * rng.choice([-1, 1])
        for part in thing:
            wax(pixels, part, scene, tooth, slope + rng.normal(0, 12), rng)
    return to_image(pixels)


def scribble_ground(pixels: Pixels, scene: Scene, tooth: Pixels, rng: np.random.Generator) -> None:
    """Loose strokes for what is behind and what is below, and a dark patch under each thing."""
    width, height = scene.width, scene.height
    whole = (0, 0, width, height)
    level = rng.uniform(0.55, 0.75) * height
    behind, below = (
        rgb(codes[rng.integers(len(codes))]) for codes in CRAYON_GROUNDS[scene.setting]
    )
    grain = np.clip(0.6 + 0.35 * tooth, 0, 1)
    for top, bottom, colour, force in ((0, level, behind, 0.6), (level, height, below, 0.85)):
        band = np.array([(0, top), (width, top), (width, bottom), (0, bottom)], dtype=float)
        edge = coverage(Part(band, colour), whole, 1)
        strokes = hatch(whole, rng.uniform(-14, 14), 4.5, rng)
        pixels[:] = blend(pixels, colour, force * edge * (0.35 + 0.65 * strokes) * grain)
    if scene.setting in ("sky", "sea", "wall"):
        return
    for thing in scene.things:
        low = np.vstack([part.boundary.min(axis=0) for part in thing]).min(axis=0)
        high = np.vstack([part.boundary.max(axis=0) for part in thing]).max(axis=0)
        radii = (0.5 * (high[0] - low[0]), 0.05 * scene.short)
        patch = Part(ellipse(((low[0] + high[0]) / 2, high[1] - 0.3 * radii[1]), radii), below)
        alpha = coverage(patch, whole, 1) * (0.3 + 0.7 * hatch(whole, 4, 3.2, rng)) * grain
        pixels[:] = blend(pixels, shade(below, 0.4), 0.6 * alpha)


def wax(
    pixels: Pixels,
    part: Part,
    scene: Scene,
    tooth: Pixels,
    slope: float,
    rng: np.random.Generator,
) -> None:
    """Fill one part with strokes along `slope` degrees, then draw its outline."""
    box = extent(part, scene, margin=5)
    if box is None:
        return
    left, top, right, bottom = box
    reach = min(np.ptp(part.boundary, axis=0).max(), 0.3 * scene.short)
    shaky = replace(part, boundary=shaken(part.boundary, 0.022 * reach, rng))
    grain = np.clip(0.82 + 0.3 * tooth[top:bottom, left:right], 0, 1)
    inside = coverage(shaky, box, 3)
    view = pixels[top:bottom, left:right]
    if part.relief > 0.15:
        strokes = hatch(box, slope, 3.4, rng)
        view[:] = blend(view, shade(part.colour, 1.15), 0.8 * inside * grain)
        view[:] = blend(view, shade(part.colour, 0.88), inside * strokes * grain)
    else:
        view[:] = blend(view, part.colour, inside * np.clip(grain + 0.1, 0, 1))
    if part.ink:
        lines = outline(part, box, 0.009 * scene.short, rng)
        view[:] = blend(view, shade(part.colour, 0.38), 0.9 * lines * grain)


def shaken(points: Points, amount: float, rng: np.random.Generator) -> Points:
    """Points moved by slow random waves, as by an unsteady hand."""
    along = np.linspace(0, 2 * np.pi, len(points), endpoint=False)[:, None]
    waves = sum(
        rng.normal(0, amount / np.sqrt(k), 2) * np.sin(k * along + rng.uniform(0, 6.3, 2))
        for k in (1, 2, 3, 5, 8)
    )
    return points + waves


def hatch(box: Box, slope: float, step: float, rng: np.random.Generator) -> Pixels:
    """Parallel wobbly strokes over the box, 0..1."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    sheet = Image.new("L", (2 * width, 2 * height))
    pen = ImageDraw.Draw(sheet)
    reach = np.hypot(width, height)
    angle = np.radians(slope)
    along, across = (
        np.array([np.cos(angle), np.sin(angle)]),
        np.array([-np.sin(angle), np.cos(angle)]),
    )
    middle = np.array([width, height]) / 2
    stops = np.linspace(-reach / 2, reach / 2, 6)[:, None]
    for place in np.arange(-reach / 2, reach / 2, step):
        wobble = rng.normal(0, 0.5, (6, 1))
        line = middle + along * stops + across * (place + rng.normal(0, 0.4) + wobble)
        pressure = int(rng.uniform(150, 255))
        pen.line(flat(2 * line), fill=pressure, width=int(rng.integers(3, 6)), joint="curve")
    return np.asarray(sheet.reduce(2), dtype=np.float32) / 255


def outline(part: Part, box: Box, weight: float, rng: np.random.Generator) -> Pixels:
    """The part's edges drawn twice with an unsteady hand, 0..1."""
    left, top, right, bottom = box
    sheet = Image.new("L", ((right - left) * 3, (bottom - top) * 3))
    pen = ImageDraw.Draw(sheet)
    for edge in part.ink:
        for _ in range(2):
            line = (shaken(edge, 0.5 * weight, rng) - (left, top)) * 3
            pen.line(flat(line), fill=int(rng.uniform(170, 255)), width=round(3 * weight * 0.8))
    return np.asarray(sheet.reduce(3), dtype=np.float32) / 255


STYLES: dict[str, Callable[[Scene, np.random.Generator], Image.Image]] = {
    "photo": photo,
    "poster": poster,
    "crayon": crayon,
}
