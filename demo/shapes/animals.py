"""Animals and the teddy bear, all facing right unless they look at you."""

from __future__ import annotations

import numpy as np

from demo.sketch import Colour, Path, Sketch, ellipse, one_of, rgb, shade, smooth, vary

BLACK = rgb("#1d1a1a")
WHITE = rgb("#f7f3ea")
PINK = rgb("#e8a7a0")


def eye(pen: Sketch, x: float, y: float, radius: float = 0.045) -> None:
    """A dark eye with a glint."""
    pen.dot((x, y), radius, BLACK)
    pen.dot((x + 0.3 * radius, y - 0.35 * radius), 0.35 * radius, WHITE)


def african_elephant(rng: np.random.Generator) -> Sketch:
    """Fan-shaped ear down to the shoulder, medium tusks."""
    return elephant(rng, ear=1.0, tusk=rng.uniform(0.28, 0.42), codes=("#8d8a8a", "#958778"))


def indian_elephant(rng: np.random.Generator) -> Sketch:
    """Small ear, domed forehead, hardly a tusk."""
    return elephant(rng, ear=0.5, tusk=rng.uniform(0.0, 0.1), codes=("#7d848c", "#9aa0a6"))


def tusker(rng: np.random.Generator) -> Sketch:
    """An elephant that is mostly known for its very long tusks."""
    return elephant(rng, ear=0.8, tusk=rng.uniform(0.75, 0.95), codes=("#86807a", "#77706b"))


def elephant(rng: np.random.Generator, ear: float, tusk: float, codes: tuple[str, ...]) -> Sketch:
    """Side view; ear is its size (1 the largest), tusk its length."""
    pen = Sketch("field", spin=4)
    skin = one_of(rng, codes, 0.04)
    far = shade(skin, 0.72)
    stride = rng.uniform(-0.08, 0.1)
    for x, step in ((-0.36, stride), (0.2, -stride)):
        pen.limb([(x, 0.1), (x + step, 0.5), (x + step, 0.8)], [0.27, 0.2, 0.22], far)
    sway = rng.uniform(-0.12, 0.05)
    pen.limb([(-0.78, -0.2), (-0.9, 0.1), (-0.9 + sway, 0.42)], [0.07, 0.04], far)
    pen.oval((-0.9 + sway, 0.47), (0.05, 0.09), shade(skin, 0.45))
    back = rng.uniform(-0.62, -0.52)
    pen.blob(
        [(-0.82, -0.1), (-0.62, -0.44), (-0.2, back), (0.3, -0.48), (0.5, -0.1), (0.35, 0.3),
         (-0.15, 0.42), (-0.65, 0.34)],
        skin,
        relief=1,
    )  # fmt: skip
    for x, step in ((-0.58, -stride), (0.36, stride)):
        pen.limb([(x, 0.05), (x + step, 0.45), (x + step, 0.84)], [0.34, 0.24, 0.26], skin)
        for toe in (-0.07, 0.0, 0.07):
            pen.dot((x + step + toe, 0.89), 0.03, shade(skin, 1.7))
    dome = 0.0 if ear > 0.6 else 0.1
    pen.blob(
        [(0.36, -0.3), (0.46, -0.62 - dome), (0.66, -0.68 - dome), (0.88, -0.46), (0.86, -0.1),
         (0.62, 0.06), (0.42, -0.02)],
        skin,
        relief=1,
    )  # fmt: skip
    trunk(pen, rng, skin)
    if tusk > 0.05:
        tip = (0.72 + 0.75 * tusk, 0.06 + 0.42 * tusk)
        bend = (0.74 + 0.3 * tusk, 0.02 + 0.4 * tusk)
        pen.limb([(0.7, -0.06), bend, tip], [0.11, 0.09, 0.03], vary(rng, "#f4ead2", 0.03))
    reach = 0.3 + 0.36 * ear
    pen.blob(
        [(0.5, -0.5), (0.34, -0.46 - 0.16 * ear), (0.5 - reach, -0.3), (0.56 - reach, 0.0),
         (0.4, -0.12 + 0.36 * ear), (0.52, -0.08)],
        shade(skin, 0.86),
        relief=0.7,
    )  # fmt: skip
    eye(pen, 0.7, -0.38)
    return pen


def trunk(pen: Sketch, rng: np.random.Generator, skin: Colour) -> None:
    """A trunk that hangs, curls forward or is lifted."""
    poses: list[Path] = [
        [(0.76, -0.34), (0.98, -0.02), (0.98, 0.36), (1.06, 0.68)],
        [(0.76, -0.34), (1.0, 0.0), (0.98, 0.42), (0.78, 0.56)],
        [(0.76, -0.3), (1.06, -0.06), (1.3, -0.2), (1.34, -0.56)],
    ]
    path = np.asarray(poses[rng.integers(len(poses))]) + rng.normal(0, 0.015, (4, 2))
    pen.limb(path, [0.36, 0.24, 0.16, 0.11], skin, relief=0.9)
    for point in smooth(path)[10:-3:3]:
        fold = point + np.array([(-0.05, 0.0), (0.05, 0.01)])
        pen.stroke(fold, 0.014, shade(skin, 0.62))


def wood_rabbit(rng: np.random.Generator) -> Sketch:
    """A compact rabbit with a cotton tail."""
    codes = ("#a8835e", "#8f7763", "#c9a27c", "#d8cbbd")
    return rabbit(rng, one_of(rng, codes), ear=rng.uniform(0.5, 0.62), stretch=1.0)


def hare(rng: np.random.Generator) -> Sketch:
    """Leaner, on longer legs, with long black-tipped ears."""
    return rabbit(
        rng, one_of(rng, ("#a9793f", "#b98a5a")), ear=rng.uniform(0.8, 0.95), stretch=1.35
    )


def rabbit(rng: np.random.Generator, fur: Colour, ear: float, stretch: float) -> Sketch:
    """Sitting, side view; ear is the ears' length, stretch lifts the body off the ground."""
    pen = Sketch("field", spin=6)
    belly = shade(fur, 1.8)
    lift = 0.3 * (stretch - 1)
    lean = rng.uniform(-0.05, 0.08)
    pen.oval((-0.7, 0.42 - lift), (0.15, 0.14), WHITE, material="fur")
    ears(pen, rng, fur, (0.36 + lean, -0.34 - lift), ear, black_tips=stretch > 1.2)
    pen.limb(
        [(0.12, 0.1 - lift), (0.24, 0.45), (0.3, 0.8)],
        [0.24, 0.15, 0.13],
        shade(fur, 0.75),
        material="fur",
    )
    pen.blob(
        [(-0.66, 0.5), (-0.6, 0.1 - lift), (-0.25, -0.16 - lift), (0.15, -0.16 - lift),
         (0.4, 0.05 - lift), (0.32, 0.45 - lift), (0.05, 0.76 - lift), (-0.4, 0.8 - 0.6 * lift)],
        fur,
        relief=1,
        material="fur",
    )  # fmt: skip
    pen.blob(
        [(0.22, 0.05 - lift), (0.4, 0.06 - lift), (0.34, 0.4 - lift), (0.2, 0.52 - lift)],
        belly,
        inked=False,
        material="fur",
    )
    pen.limb(
        [(0.2, 0.25 - lift), (0.3, 0.5), (0.33, 0.76), (0.44, 0.82)],
        [0.2, 0.15, 0.13, 0.12],
        fur,
        material="fur",
    )
    pen.oval((-0.32, 0.42 - 0.7 * lift), (0.33, 0.33), fur, relief=1, material="fur")
    pen.limb([(-0.48, 0.78), (-0.2, 0.83), (0.04, 0.83)], [0.17, 0.14], fur, material="fur")
    rabbit_head(pen, fur, 0.45 + lean, -0.2 - lift)
    return pen


def ears(
    pen: Sketch,
    rng: np.random.Generator,
    fur: Colour,
    root: tuple[float, float],
    length: float,
    black_tips: bool,
) -> None:
    """Two upright rabbit ears, the far one darker."""
    x, y = root
    for lean, colour in ((rng.uniform(0.02, 0.2), shade(fur, 0.78)), (rng.uniform(-0.3, 0), fur)):
        path = [(x, y + 0.05), (x + 0.6 * lean, y - 0.55 * length), (x + lean, y - length)]
        pen.limb(path, [0.13, 0.22, 0.19, 0.05], colour, material="fur")
        pen.limb(path[:2], [0.04, 0.1, 0.03], PINK, inked=False, relief=0.2)
        if black_tips:
            pen.dot((x + 0.97 * lean, y - 0.97 * length), 0.05, BLACK)


def rabbit_head(pen: Sketch, fur: Colour, x: float, y: float) -> None:
    """Round head with cheek, nose and whiskers."""
    pen.blob(
        [(x - 0.26, y + 0.02), (x - 0.12, y - 0.22), (x + 0.12, y - 0.2), (x + 0.32, y + 0.02),
         (x + 0.33, y + 0.14), (x + 0.1, y + 0.25), (x - 0.16, y + 0.2)],
        fur,
        relief=1,
        material="fur",
    )  # fmt: skip
    pen.oval((x + 0.19, y + 0.13), (0.13, 0.09), shade(fur, 1.7), inked=False, material="fur")
    pen.oval((x + 0.325, y + 0.04), (0.04, 0.03), shade(PINK, 0.8), relief=0.2)
    eye(pen, x + 0.07, y - 0.05, 0.055)
    for drop in (-0.03, 0.03, 0.09):
        pen.stroke([(x + 0.2, y + 0.12), (x + 0.46, y + 0.1 + 1.6 * drop)], 0.012, shade(fur, 0.4))


def fox_squirrel(rng: np.random.Generator) -> Sketch:
    """Sitting upright with a nut, the bushy tail curled behind its back."""
    pen = Sketch("field", spin=6)
    fur = one_of(rng, ("#b5652b", "#a8552a", "#8e6b4d", "#7d7068"))
    belly = one_of(rng, ("#eccf9d", "#f3e6cf"), 0.03)
    tail = shade(fur, rng.uniform(0.85, 1.2))
    curl = rng.uniform(-0.08, 0.08)
    pen.limb(
        [(-0.12, 0.72), (-0.5, 0.62), (-0.66, 0.2), (-0.5, -0.28), (-0.6 + curl, -0.66),
         (-0.86 + curl, -0.62)],
        [0.16, 0.36, 0.46, 0.46, 0.42, 0.2],
        tail,
        relief=1,
        material="fur",
    )  # fmt: skip
    pen.limb(
        [(-0.3, 0.62), (-0.58, 0.35), (-0.56, -0.1), (-0.54, -0.5)],
        [0.04, 0.13, 0.12, 0.03],
        shade(tail, 1.5),
        inked=False,
        material="fur",
    )
    pen.blob(
        [(-0.3, 0.7), (-0.34, 0.3), (-0.12, -0.1), (0.18, -0.24), (0.38, -0.02), (0.36, 0.4),
         (0.26, 0.78), (-0.1, 0.82)],
        fur,
        relief=1,
        material="fur",
    )  # fmt: skip
    pen.blob(
        [(0.26, -0.06), (0.38, 0.12), (0.36, 0.48), (0.2, 0.66), (0.14, 0.3)],
        belly,
        inked=False,
        material="fur",
    )
    pen.oval((-0.04, 0.54), (0.27, 0.27), fur, relief=1, material="fur")
    pen.limb([(0.0, 0.78), (0.2, 0.82), (0.42, 0.83)], [0.15, 0.11], fur, material="fur")
    squirrel_head(pen, fur, belly)
    acorn(pen, 0.56, 0.13)
    pen.limb([(0.14, 0.06), (0.34, 0.22), (0.52, 0.16)], [0.15, 0.11, 0.09], fur, material="fur")
    return pen


def squirrel_head(pen: Sketch, fur: Colour, belly: Colour) -> None:
    """Small pointed ears, a short muzzle, a pale eye ring."""
    for x, colour in ((0.34, shade(fur, 0.75)), (0.22, fur)):
        pen.blob([(x - 0.09, -0.5), (x - 0.02, -0.78), (x + 0.09, -0.5)], colour, material="fur")
    pen.blob(
        [(0.02, -0.32), (0.14, -0.55), (0.4, -0.58), (0.62, -0.36), (0.66, -0.24), (0.46, -0.12),
         (0.16, -0.12)],
        fur,
        relief=1,
        material="fur",
    )  # fmt: skip
    pen.oval((0.5, -0.2), (0.13, 0.07), belly, inked=False)
    pen.dot((0.39, -0.4), 0.085, belly)
    eye(pen, 0.4, -0.4, 0.06)
    pen.oval((0.655, -0.28), (0.04, 0.035), BLACK, relief=0.2)


def acorn(pen: Sketch, x: float, y: float) -> None:
    """A nut with its cup."""
    pen.blob(
        [(x - 0.1, y), (x + 0.1, y), (x + 0.07, y + 0.13), (x, y + 0.2), (x - 0.07, y + 0.13)],
        rgb("#c98d3e"),
    )
    pen.blob([(x - 0.13, y + 0.02), (x, y - 0.13), (x + 0.13, y + 0.02)], rgb("#6b4526"))
    pen.stroke([(x, y - 0.1), (x + 0.02, y - 0.18)], 0.035, rgb("#6b4526"))


def red_fox(rng: np.random.Generator) -> Sketch:
    """Standing, with black socks, a white chest and a white-tipped brush."""
    pen = Sketch("field", spin=4)
    fur = one_of(rng, ("#c9622a", "#d2732f", "#b8552a"))
    droop = rng.uniform(-0.25, 0.3)
    brush = [(-0.5, 0.0), (-0.8, 0.02 + 0.5 * droop), (-1.15, droop)]
    pen.limb(brush, [0.14, 0.3, 0.34, 0.1], fur, relief=1, material="fur")
    tip = [(-1.05, 0.93 * droop), (-1.2, 1.05 * droop)]
    pen.limb(tip, [0.2, 0.06], WHITE, inked=False, material="fur")
    for x, colour in ((-0.32, 0.7), (0.36, 0.7), (-0.46, 1.0), (0.24, 1.0)):
        leg = shade(fur, colour)
        pen.limb([(x, 0.1), (x + 0.02, 0.42), (x, 0.62)], [0.2, 0.11, 0.1], leg, material="fur")
        pen.limb([(x + 0.01, 0.5), (x, 0.8), (x + 0.07, 0.82)], [0.11, 0.1], rgb("#2d2320"))
    pen.blob(
        [(-0.6, 0.0), (-0.4, -0.2), (0.1, -0.16), (0.45, -0.24), (0.52, 0.1), (0.3, 0.3),
         (-0.1, 0.22), (-0.5, 0.26)],
        fur,
        relief=1,
        material="fur",
    )  # fmt: skip
    pen.blob([(0.4, -0.1), (0.56, 0.0), (0.44, 0.3), (0.3, 0.2)], WHITE, inked=False)
    for x in (0.62, 0.44):
        pen.blob([(x - 0.1, -0.42), (x - 0.03, -0.8), (x + 0.1, -0.45)], shade(fur, 0.85))
        pen.blob([(x - 0.05, -0.46), (x - 0.02, -0.68), (x + 0.05, -0.46)], BLACK, inked=False)
    pen.blob(
        [(0.3, -0.3), (0.4, -0.52), (0.66, -0.5), (0.82, -0.3), (1.06, -0.18), (0.8, -0.08),
         (0.46, -0.06)],
        fur,
        relief=1,
        material="fur",
    )  # fmt: skip
    pen.blob([(0.5, -0.12), (0.76, -0.2), (1.0, -0.15), (0.76, -0.06)], WHITE, inked=False)
    pen.oval((1.05, -0.19), (0.045, 0.04), BLACK)
    eye(pen, 0.7, -0.34)
    return pen


def brown_bear(rng: np.random.Generator) -> Sketch:
    """On all fours, with the hump over its shoulders."""
    pen = Sketch("field", spin=4)
    fur = one_of(rng, ("#6b4a31", "#7d5636", "#553c2b"))
    stride = rng.uniform(-0.06, 0.1)
    for x, step, tone in ((-0.36, stride, 0.7), (0.24, -stride, 0.7), (-0.6, 0, 1), (0.42, 0, 1)):
        colour = shade(fur, tone)
        pen.limb(
            [(x, 0.1), (x + step, 0.5), (x + step, 0.74), (x + step + 0.1, 0.78)],
            [0.4, 0.25, 0.22, 0.16],
            colour,
            material="fur",
        )
    pen.blob(
        [(-0.86, 0.05), (-0.7, -0.34), (-0.25, -0.4), (0.2, -0.58), (0.55, -0.4), (0.62, 0.1),
         (0.3, 0.36), (-0.2, 0.34), (-0.7, 0.4)],
        fur,
        relief=1,
        material="fur",
    )  # fmt: skip
    for x in (0.72, 0.54):
        pen.oval((x, -0.5), (0.1, 0.1), shade(fur, 0.8), material="fur")
    pen.blob(
        [(0.4, -0.2), (0.5, -0.46), (0.76, -0.46), (0.94, -0.26), (1.14, -0.14), (1.12, 0.04),
         (0.82, 0.12), (0.5, 0.1)],
        fur,
        relief=1,
        material="fur",
    )  # fmt: skip
    pen.oval((1.02, -0.04), (0.15, 0.11), shade(fur, 1.5), inked=False, material="fur")
    pen.oval((1.14, -0.1), (0.055, 0.045), BLACK)
    eye(pen, 0.82, -0.24, 0.035)
    return pen


def teddy(rng: np.random.Generator) -> Sketch:
    """Sitting and looking at you: muzzle, belly, foot pads, a ribbon."""
    pen = Sketch("table", spin=10)
    plush = one_of(rng, ("#b98045", "#8a5a34", "#d9b487", "#c58f8a", "#9d9a96"))
    pale = shade(plush, 1.9)
    raised = rng.uniform(-0.35, 0.25, 2)
    for side, lift in zip((-1, 1), raised, strict=True):
        pen.oval((0.36 * side, -0.82), (0.19, 0.19), plush, material="fur")
        pen.oval((0.37 * side, -0.81), (0.1, 0.1), pale, inked=False, material="fur")
        pen.limb(
            [(0.28 * side, 0.0), (0.55 * side, 0.14 + 0.5 * lift), (0.72 * side, 0.28 + lift)],
            [0.28, 0.25, 0.26],
            plush,
            relief=1,
            material="fur",
        )
    pen.oval((0, 0.34), (0.46, 0.5), plush, relief=1, material="fur")
    pen.oval((0, 0.38), (0.3, 0.34), pale, inked=False, material="fur")
    spread = rng.uniform(0.42, 0.56)
    for side in (-1, 1):
        pen.oval((spread * side, 0.74), (0.25, 0.23), plush, 12 * side, relief=1, material="fur")
        pen.oval((spread * side * 1.04, 0.76), (0.15, 0.15), pale, inked=False)
    pen.oval((0, -0.46), (0.48, 0.42), plush, relief=1, material="fur")
    pen.oval((0, -0.32), (0.23, 0.19), pale, relief=0.9, material="fur")
    pen.oval((0, -0.41), (0.085, 0.06), BLACK, material="glossy")
    pen.stroke([(0, -0.36), (0, -0.27)], 0.025, BLACK)
    pen.stroke([(-0.1, -0.26), (0, -0.22), (0.1, -0.26)], 0.025, BLACK)
    for side in (-1, 1):
        eye(pen, 0.2 * side, -0.53, 0.058)
    if rng.random() < 0.7:
        ribbon = one_of(rng, ("#c8312f", "#2f6fb5", "#2e8b57", "#7d3c98"))
        for side in (-1, 1):
            pen.blob([(0, -0.04), (0.26 * side, -0.15), (0.26 * side, 0.1)], ribbon)
        pen.oval((0, -0.03), (0.07, 0.07), shade(ribbon, 0.8))
    return pen


def hawk(rng: np.random.Generator) -> Sketch:
    """The bird of prey that ImageNet calls a kite: fingered wings and a forked tail, soaring."""
    pen = Sketch("sky", spin=40)
    brown = one_of(rng, ("#7a4b2a", "#8d5a35", "#5e3b25"))
    lift = rng.uniform(-0.25, 0.1)
    fork = rng.uniform(0.12, 0.22)
    pen.shape(
        [(-0.08, 0.25), (-fork, 0.75), (0, 0.58), (fork, 0.75), (0.08, 0.25)],
        shade(brown, 1.25),
        relief=0.3,
    )
    for side in (-1, 1):
        for finger in range(5):
            root = (side * (0.78 - 0.05 * finger), -0.1 + lift + 0.05 * finger)
            tip = (side * (1.14 - 0.06 * finger), -0.16 + 1.3 * lift + 0.13 * finger)
            pen.limb([root, tip], [0.12, 0.07], rgb("#2e2420"), relief=0.3)
        pen.blob(
            [(0, -0.22), (0.4 * side, -0.3 + 0.6 * lift), (0.84 * side, -0.16 + lift),
             (0.74 * side, 0.16 + lift), (0.4 * side, 0.14 + 0.4 * lift), (0, 0.16)],
            brown,
            relief=0.4,
        )  # fmt: skip
        pen.blob(
            [(0.48 * side, 0.05 + 0.5 * lift), (0.7 * side, -0.06 + lift),
             (0.68 * side, 0.12 + lift), (0.52 * side, 0.13 + 0.6 * lift)],
            WHITE,
            inked=False,
            relief=0.1,
        )  # fmt: skip
    pen.blob(
        [(0, -0.44), (0.13, -0.2), (0.12, 0.15), (0, 0.42), (-0.12, 0.15), (-0.13, -0.2)],
        shade(brown, 1.15),
        relief=0.9,
    )
    pen.oval((0, -0.42), (0.12, 0.14), vary(rng, "#d9d2c5"), relief=0.9)
    pen.blob([(-0.05, -0.52), (0.05, -0.52), (0.01, -0.64)], rgb("#e3b23c"), relief=0.2)
    for side in (-1, 1):
        pen.dot((0.06 * side, -0.45), 0.022, BLACK)
    return pen


def mud_turtle(rng: np.random.Generator) -> Sketch:
    """A low, plain, dark shell."""
    shell = one_of(rng, ("#4f4a38", "#5c5138", "#473f33"))
    return turtle(rng, shell, skin=vary(rng, "#6d6a52"), height=rng.uniform(0.5, 0.58))


def box_turtle(rng: np.random.Generator) -> Sketch:
    """A high dome with yellow rays."""
    shell = one_of(rng, ("#5a3b22", "#4a3424", "#6a4a26"))
    height = rng.uniform(0.82, 0.94)
    return turtle(rng, shell, skin=vary(rng, "#8a6b3c"), height=height, rays=rgb("#e8b93a"))


def terrapin(rng: np.random.Generator) -> Sketch:
    """A greenish shell with ringed scutes, speckled pale skin."""
    shell = one_of(rng, ("#5f7a55", "#6f7f62", "#4f7067"))
    skin = vary(rng, "#b9c2b0")
    return turtle(rng, shell, skin, height=rng.uniform(0.62, 0.72), rings=True)


def turtle(
    rng: np.random.Generator,
    shell: Colour,
    skin: Colour,
    height: float,
    rays: Colour | None = None,
    rings: bool = False,
) -> Sketch:
    """Side view: a domed shell over four legs, a tail and a raised head."""
    pen = Sketch("field", spin=6)
    raised = rng.uniform(-0.14, 0.16)
    pen.limb([(-0.7, 0.4), (-0.9, 0.46), (-1.02, 0.54)], [0.12, 0.02], skin)
    for x, tone in ((-0.34, 0.7), (0.34, 0.7), (-0.56, 1.0), (0.52, 1.0)):
        colour = shade(skin, tone)
        pen.limb([(x, 0.36), (x + 0.02, 0.56), (x + 0.1, 0.68)], [0.28, 0.24, 0.18], colour)
        for toe in (0.02, 0.09, 0.16):
            pen.stroke([(x + toe, 0.73), (x + toe + 0.03, 0.78)], 0.03, shade(skin, 0.5))
    pen.limb([(0.6, 0.3), (0.84, 0.18), (0.98, -0.02 - raised)], [0.26, 0.2, 0.2], skin)
    pen.blob(
        [(0.84, -0.02 - raised), (0.94, -0.18 - raised), (1.14, -0.18 - raised),
         (1.28, -0.04 - raised), (1.2, 0.08 - raised), (0.96, 0.1 - raised)],
        skin,
        relief=1,
    )  # fmt: skip
    eye(pen, 1.12, -0.07 - raised, 0.045)
    pen.stroke([(1.06, 0.04 - raised), (1.26, 0.02 - raised)], 0.02, shade(skin, 0.45))
    if rings:
        for spot in rng.uniform((0.7, -0.02), (0.95, 0.22), (9, 2)):
            pen.dot(tuple(spot - (0, 0.6 * raised)), 0.018, shade(skin, 0.4))
    top = 0.42 - height
    pen.blob(
        [(-0.8, 0.4), (-0.7, 0.42 - 0.5 * height), (-0.4, top + 0.06), (0, top),
         (0.4, top + 0.06), (0.72, 0.42 - 0.5 * height), (0.82, 0.4), (0.4, 0.48), (-0.4, 0.48)],
        shell,
        relief=1,
        material="glossy",
    )  # fmt: skip
    scutes(pen, shell, height, rays, rings)
    pen.limb([(-0.84, 0.43), (0, 0.52), (0.86, 0.43)], [0.09, 0.12, 0.09], shade(shell, 1.35))
    return pen


def scutes(pen: Sketch, shell: Colour, height: float, rays: Colour | None, rings: bool) -> None:
    """The plates of a shell seen from the side, with rays or rings on them."""
    for x in (-0.5, -0.17, 0.17, 0.5):
        top = 0.42 - height * (1 - 0.45 * x * x) + 0.1
        low, half = 0.34, 0.145
        squeeze = 0.72
        plate = [
            (x - half, low), (x - half, 0.5 * (low + top)), (squeeze * x - 0.09, top),
            (squeeze * x + 0.09, top), (x + half, 0.5 * (low + top)), (x + half, low),
        ]  # fmt: skip
        pen.shape(plate, shade(shell, 1.12), relief=0.5, material="glossy")
        middle = (0.9 * x, 0.5 * (low + top))
        if rays is not None:
            source = np.array([squeeze * x, top + 0.05])
            for spread in (-0.12, -0.045, 0.045, 0.12):
                pen.stroke([source, (x + spread, low - 0.04)], 0.03, rays)
        if rings:
            for size, tone in ((0.1, 0.6), (0.06, 1.5)):
                pen.oval(middle, (size, 1.3 * size), shade(shell, tone), relief=0, inked=False)


def loggerhead(rng: np.random.Generator) -> Sketch:
    """A sea turtle from above: heart-shaped shell, large head, flippers."""
    pen = Sketch("sea", spin=180)
    shell = one_of(rng, ("#9a5a32", "#84502f", "#7a6a3a"))
    skin = one_of(rng, ("#c9a46a", "#a8a878", "#7f9a86"))
    sweep = rng.uniform(-0.12, 0.16)
    for side in (-1, 1):
        pen.limb(
            [(0.4 * side, -0.36), (0.78 * side, -0.42 + sweep), (1.06 * side, 0.1 + sweep)],
            [0.2, 0.3, 0.24, 0.07],
            skin,
        )
        pen.limb(
            [(0.3 * side, 0.55), (0.5 * side, 0.8), (0.56 * side, 0.98)], [0.15, 0.2, 0.08], skin
        )
    pen.blob([(-0.06, 0.8), (0, 1.0), (0.06, 0.8)], skin)
    pen.blob(
        [(0, -0.98), (0.17, -0.9), (0.19, -0.7), (0.12, -0.5), (-0.12, -0.5), (-0.19, -0.7),
         (-0.17, -0.9)],
        skin,
        relief=0.9,
    )  # fmt: skip
    for side in (-1, 1):
        eye(pen, 0.14 * side, -0.8, 0.035)
    pen.blob(
        [(0, -0.58), (0.36, -0.5), (0.56, -0.16), (0.5, 0.3), (0.26, 0.7), (0, 0.88),
         (-0.26, 0.7), (-0.5, 0.3), (-0.56, -0.16), (-0.36, -0.5)],
        shell,
        relief=1,
    )  # fmt: skip
    plate = shade(shell, 1.25)
    for y, half in ((-0.36, 0.15), (-0.06, 0.17), (0.24, 0.15), (0.52, 0.11)):
        hexagon = ellipse((0, y), (half * 1.15, 0.15), 0, points=6)
        pen.shape(hexagon, plate, relief=0.5)
        for side in (-1, 1):
            wide = 0.46 * np.sqrt(max(0.05, 1 - ((y - 0.05) / 0.85) ** 2))
            pen.shape(
                [(side * (half * 1.15 + 0.03), y - 0.02), (side * half * 0.9, y + 0.14),
                 (side * wide * 0.86, y + 0.18), (side * wide, y - 0.08),
                 (side * half * 0.9, y - 0.12)],
                plate,
                relief=0.5,
            )  # fmt: skip
    return pen
