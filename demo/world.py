"""The label space, the categories, and the one seed from which every picture follows."""

from __future__ import annotations

import zlib

import numpy as np
from PIL import Image

from demo.scene import Draw, compose
from demo.shapes import animals, food, things
from demo.styles import STYLES

SEED = 2022
IMAGES_PER_CATEGORY = 12
GENERATORS = ("poster", "crayon")
PHOTOGRAPHS = "photo"  # the style that the classifiers were trained on plays the real photographs
SOURCES = (*GENERATORS, PHOTOGRAPHS)

# The classes that the classifiers know, by ImageNet's names for them, in the order of the
# classifiers' outputs. `kite` is the hawk here, as it is there.
CLASSES: dict[str, Draw] = {
    "kite": animals.hawk,
    "loggerhead, loggerhead turtle, Caretta caretta": animals.loggerhead,
    "mud turtle": animals.mud_turtle,
    "terrapin": animals.terrapin,
    "box turtle, box tortoise": animals.box_turtle,
    "tusker": animals.tusker,
    "red fox, Vulpes vulpes": animals.red_fox,
    "brown bear, bruin, Ursus arctos": animals.brown_bear,
    "wood rabbit, cottontail, cottontail rabbit": animals.wood_rabbit,
    "hare": animals.hare,
    "fox squirrel, eastern fox squirrel, Sciurus niger": animals.fox_squirrel,
    "Indian elephant, Elephas maximus": animals.indian_elephant,
    "African elephant, Loxodonta africana": animals.african_elephant,
    "analog clock": things.analog_clock,
    "balloon": things.balloon,
    "bow tie, bow-tie, bowtie": things.bow_tie,
    "crash helmet": things.crash_helmet,
    "digital clock": things.digital_clock,
    "football helmet": things.football_helmet,
    "lampshade, lamp shade": things.lampshade,
    "parachute, chute": things.parachute,
    "pitcher, ewer": things.pitcher,
    "pot, flowerpot": things.pot,
    "stopwatch, stop watch": things.stopwatch,
    "sunglass": things.aviators,
    "sunglasses, dark glasses, shades": things.wayfarers,
    "teddy, teddy bear": animals.teddy,
    "toilet seat": things.toilet_seat,
    "tractor": things.tractor,
    "trailer truck, tractor trailer, trucking rig, rig, articulated lorry, semi": (
        things.trailer_truck
    ),
    "umbrella": things.umbrella,
    "vase": things.vase,
    "wall clock": things.wall_clock,
    "plate": food.plate,
    "French loaf": food.french_loaf,
    "bagel, beigel": food.bagel,
    "pretzel": food.pretzel,
    "pizza, pizza pie": food.pizza,
    "bolete": food.bolete,
    "mushroom": food.mushroom,
}

# What the generators were asked for. A thing listed twice is drawn twice as often. The category
# kite means the toy, which no class names: the paper's best-known label problem.
CATEGORIES: dict[str, tuple[Draw, ...]] = {
    "bagel": (food.bagel,),
    "clock": (things.analog_clock, things.wall_clock, things.wall_clock, things.digital_clock),
    "elephant": (animals.african_elephant, animals.indian_elephant, animals.tusker),
    "helmet": (things.crash_helmet, things.football_helmet),
    "kite": (things.toy_kite,),
    "mushroom": (food.mushroom, food.mushroom, food.mushroom, food.bolete),
    "pizza": (food.pizza,),
    "pretzel": (food.pretzel,),
    "rabbit": (animals.wood_rabbit, animals.wood_rabbit, animals.hare),
    "squirrel": (animals.fox_squirrel,),
    "sunglass": (things.aviators, things.aviators, things.wayfarers),
    "teddy": (animals.teddy,),
    "toilet_seat": (things.toilet_seat,),
    "tractor": (things.tractor,),
    "turtle": (
        animals.box_turtle,
        animals.mud_turtle,
        animals.loggerhead,
        animals.terrapin,
    ),
    "umbrella": (things.umbrella,),
    "vase": (things.vase,),
}


def random_for(*names: str | int) -> np.random.Generator:
    """The random generator that belongs to these names: the same on every run and machine."""
    keys = [name if isinstance(name, int) else zlib.crc32(name.encode()) for name in names]
    return np.random.default_rng([SEED, *keys])


def source_image(source: str, category: str, number: int) -> Image.Image:
    """Picture `number` (from 0) of a category from a source: no picture that a model has seen."""
    rng = random_for("generated", source, category, number)
    kinds = CATEGORIES[category]
    return STYLES[source](compose(kinds[number % len(kinds)], rng), rng)


def class_image(style: str, split: str, label: str, number: int) -> Image.Image:
    """Picture `number` of a class in a style; the splits share no picture."""
    rng = random_for("class", style, split, label, number)
    return STYLES[style](compose(CLASSES[label], rng), rng)
