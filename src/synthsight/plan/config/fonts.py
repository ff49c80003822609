"""The fonts of figures: their files, and which names they lack characters of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from synthsight.files import Digests, hint_at, is_file
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import bad_path
from synthsight.plan.shown import FigureSettings

#: Endings of font files; another entry of ``figures.fonts`` is the name of a family.
ENDINGS = (".ttf", ".otf", ".ttc", ".otc")

#: The code points up to this one are in the font of every figure.
_LATIN = 0x24F


def load_fonts(settings: FigureSettings, cache: Path, problems: list[Problem]) -> dict[str, str]:
    """The sha256 of each font file, by its path.

    Whether a machine has a family is found out where figures are drawn.

    Args:
        settings: those of the figures.
        cache: folder that caches digests of files.
        problems: to which files that are not there are added.
    """
    digests, found = Digests(cache / "sha256_fonts.json"), {}
    for place, font in enumerate(settings.fonts):
        if not font.lower().endswith(ENDINGS):
            continue
        reason = bad_path(font)
        if reason is None and not is_file(font):
            reason = f"there is no font file {font}{hint_at(font)}"
        if reason is None:
            found[font] = digests.of(font)
        else:
            problems.append(Problem(("figures", "fonts", place), reason))
    digests.save()
    return found


def escaped_names(names: Iterable[str], fonts: Mapping[str, str], settings: FigureSettings) -> str:
    """A warning about names with characters that none of the fonts has; empty if there are none.

    Args:
        names: of models, categories and generators.
        fonts: as :func:`load_fonts` returns.
        settings: those of the figures.
    """
    unusual = sorted({name for name in names if any(ord(each) > _LATIN for each in name)})
    if not unusual or len(fonts) < sum(f.lower().endswith(ENDINGS) for f in settings.fonts):
        return ""
    # Only such names need a library that takes long to import.
    from synthsight.figures.fonts import FontError
    from synthsight.figures.look import Look, looking
    from synthsight.figures.text import escapes

    with looking(Look(fonts=settings.fonts)):
        try:
            lacking = [name for name in unusual if escapes(name)]
        except FontError as error:
            return str(error)
    if not lacking:
        return ""
    shown = ", ".join(lacking[:3]) + (", ..." if len(lacking) > 3 else "")
    names = f"{len(lacking)} name{'s' * (len(lacking) > 1)}"
    return (
        f"in figures, characters of {names} ({shown}) stand as codes such as \\u65e5, since no "
        "font has them; `figures.fonts` names fonts that do (docs/figures.md)"
    )
