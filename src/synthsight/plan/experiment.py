"""From a configuration to an experiment, or to a list of everything that is wrong with it.

User errors are caught here, before any job starts, with messages that name the key and the line,
what was found and what to write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from synthsight import bounds
from synthsight.archives.archive import Archive
from synthsight.images.roots import Roots
from synthsight.labels.matching import admit_rules
from synthsight.plan.config.adapted import (
    Adapted,
    bases_of,
    check_adapt,
    named_adapted,
    resolve_adapted,
    unused_keys,
    with_features,
    without_heads,
)
from synthsight.plan.config.archives import find_archive
from synthsight.plan.config.attributes import Attributes, load_attributes
from synthsight.plan.config.categories import (
    Category,
    check_names,
    check_words,
    load_categories,
)
from synthsight.plan.config.definitions import load_definitions, unknown_classes
from synthsight.plan.config.encoders import check_encoders, resolve_encoders
from synthsight.plan.config.fonts import escaped_names, load_fonts
from synthsight.plan.config.homes import home_problems
from synthsight.plan.config.learning import check_learning
from synthsight.plan.config.marks import load_marks
from synthsight.plan.config.messages import ConfigError, Problem, Source
from synthsight.plan.config.models import (
    Model,
    check_models,
    check_texts,
    load_spaces,
    named,
    notes_on,
    resolve_models,
)
from synthsight.plan.config.networks import Encoder, Network
from synthsight.plan.config.people import People, load_people
from synthsight.plan.config.predictions import (
    Classifier,
    Imported,
    kind_problems,
    notes_on_choice,
)
from synthsight.plan.config.questions import Vqa, load_vqa, other_spellings
from synthsight.plan.config.recorded import load_recorded
from synthsight.plan.config.repositories import read_repositories, with_categories
from synthsight.plan.config.schema import fill_defaults, schema_problems
from synthsight.plan.config.sound import sound_part
from synthsight.plan.config.sources import check_group, check_real, grouping_column
from synthsight.plan.config.table import check_table_keys, load_tabled
from synthsight.plan.config.vqa_models import named_vqa, vqa_kind_problems
from synthsight.plan.digest import recall_sources
from synthsight.plan.left_out import LeftOut
from synthsight.plan.settings import Settings, typed


@dataclass(frozen=True)
class Experiment:
    """A configuration that has been checked.

    Attributes:
        settings: the configuration with its defaults filled in.
        written: the same, as a mapping and as the user wrote it: a model given as a string stays
            one.
        categories: by name, sorted.
        models: by name, in the configuration's order: those that are run, those whose predictions
            were made elsewhere, and then those that are trained on the run's images.
        roots: where the images lie.
        real: the generators whose images are real photographs; none as long as ``pending``.
        grouping: the column of a table or of a set's record that tells groups, in words, or None.
        vqa: the questions, or None if none are asked.
        people: the files of what people say, or None if there are none.
        archive: the archive that the images come from, or None.
        pending: whether it has yet to be unpacked. Until then there are neither categories nor
            questions.
        warnings: what the user should know, although it stops nothing.
        encoders: the models of which nothing but features is wanted, by name, likewise.
        marks: the sha256 of each file of marks whose images are left out, by its path.
        attributes: where attributes of images come from, or None if nowhere.
        left_out: the models that the configuration has but that failed, and of which this says
            nothing else.
        fonts: the sha256 of each font file of the figures, by its path.
    """

    settings: Settings
    written: Mapping[str, Any]
    categories: dict[str, Category]
    models: dict[str, Classifier]
    roots: Roots
    real: frozenset[str]
    grouping: str | None
    vqa: Vqa | None
    people: People | None
    archive: Archive | None
    pending: bool
    warnings: tuple[str, ...]
    encoders: dict[str, Encoder]
    marks: Mapping[str, str]
    attributes: Attributes | None
    left_out: tuple[LeftOut, ...] = ()
    fonts: dict[str, str] = field(default_factory=dict)

    @property
    def excludes_duplicates(self) -> bool:
        """Whether of pictures that are the same, or nearly, one alone is used."""
        return self.settings.images.duplicates == "exclude"

    @property
    def excludes_more(self) -> bool:
        """Whether usable images are left out: duplicates, marked ones, or without a prediction."""
        return self.excludes_duplicates or bool(self.excludes_unpredicted or self.marks)

    @property
    def networks(self) -> dict[str, Model]:
        """The classifiers that are run."""
        return {name: each for name, each in self.models.items() if isinstance(each, Model)}

    @property
    def loaded(self) -> dict[str, Network]:
        """All models that are run on images alone: classifiers and encoders."""
        return {**self.networks, **self.encoders}

    @property
    def embedded(self) -> dict[str, Network]:
        """Those of them whose features are asked for."""
        return {name: each for name, each in self.loaded.items() if each.features is not None}

    @property
    def imported(self) -> dict[str, Imported]:
        """The models whose predictions were made elsewhere."""
        return {name: each for name, each in self.models.items() if isinstance(each, Imported)}

    @property
    def adapted(self) -> dict[str, Adapted]:
        """The models that are trained on the run's images; none as long as these are missing."""
        return {name: each for name, each in self.models.items() if isinstance(each, Adapted)}

    @property
    def excludes_unpredicted(self) -> list[str]:
        """The models whose images without a prediction are left out for all, sorted."""
        return sorted(name for name, each in self.imported.items() if each.missing == "exclude")

    @property
    def generators(self) -> set[str]:
        """The generators that are named, real photographs' among them."""
        found = {generator for each in self.categories.values() for generator in each.generators}
        return {generator for generator in found if generator is not None}


def load_experiment(
    config: Mapping[str, Any], schema: Mapping[str, Any], files: Sequence[Source], cache: Path
) -> Experiment:
    """Check a configuration and resolve what it names.

    Args:
        config: the configuration, as read from YAML.
        schema: the JSON schema that it must satisfy, with the defaults.
        files: what it was read from, for messages: files, and the values of ``--config``; if a key
            is in several, the last counts.
        cache: folder that caches what models resolve to, and what sources are parsed to.

    Raises:
        ConfigError: with everything that was found wrong.
    """
    recall_sources(cache)
    if wrong := bounds.fault(config):
        raise ConfigError([Problem(*wrong)], files)
    schema = admit_rules(schema)
    problems = schema_problems(config, schema)
    if not problems:
        problems = kind_problems(config["models"], schema["properties"]["models"]["items"])
        problems += unused_keys(config.get("adapt") or ())
    if problems:
        raise ConfigError([*problems, *_other_problems(config, schema, problems, cache)], files)
    written = fill_defaults(config, schema)
    settings = load_settings(written, schema)
    if problems := home_problems(settings):
        raise ConfigError(problems, files)
    problems += vqa_kind_problems((config.get("vqa") or {}).get("models", ()))
    rules, primary = settings.matching.rules, settings.matching.primary
    if primary not in rules:
        message = f"{primary!r} is not among `rules` ({', '.join(rules)})"
        problems.append(Problem(("matching", "primary"), message))
    archive, pending, root = find_archive(settings.images, problems)
    settings = replace(settings, images=replace(settings.images, root=root))
    written["images"]["root"] = root
    definitions = load_definitions(settings.category_definitions, problems)
    check_names(settings, problems)
    warnings: list[str] = []
    labelled = {
        place
        for place, model in enumerate(written["models"])
        if isinstance(model, dict) and "labels" in model
    }
    repositories = read_repositories(settings.models, labelled, cache, problems)
    settings = replace(settings, models=repositories.models)
    warnings += repositories.notes
    spaces = load_spaces(settings.models, problems)
    categories: dict[str, Category] = {}
    roots, table = Roots(Path(root)), None
    if not pending and settings.images.table is not None:
        categories, table = load_tabled(settings, definitions, spaces, cache, problems, warnings)
    elif not pending:
        categories, roots = load_categories(settings, definitions, spaces, problems, warnings)
    check_table_keys(settings.images, archive.root if archive and pending else None, problems)
    real = check_real(settings.images, categories, table, problems, warnings)
    check_group(settings.images, roots, categories, cache, problems)
    grouping = grouping_column(settings.images, table, warnings)
    if settings.images.table is None:
        categories, grouping = load_recorded(
            settings.images, roots, categories, cache, problems, warnings
        )
    check_models(settings.models, problems)
    check_encoders(settings, problems)
    check_adapt(settings, categories, real, pending, problems)
    settings = with_features(settings)
    check_learning(settings, categories, real, pending, problems, warnings)
    targets = [category.target for category in categories.values()]
    listed = [definitions.of(name).target(name) for name in settings.categories or ()]
    models = with_categories(
        *(settings.models, listed if pending else targets, cache, problems, warnings)
    )
    settings = replace(settings, models=models)
    spaces |= load_spaces([each for each in models if each.labels not in spaces], [])
    check_texts(settings.models, spaces, problems)
    check_words(categories, spaces, rules, problems, warnings)
    warnings += unknown_classes(targets, spaces.values(), definitions.file)
    vqa = load_vqa(settings, pending, cache, problems, warnings)
    people = load_people(settings, cache, problems, warnings)
    marks = load_marks(settings.images, cache, problems, warnings)
    attributes = load_attributes(settings.images, pending, cache, problems)
    fonts = load_fonts(settings.figures, cache, problems)
    if problems:
        raise ConfigError(problems, files)
    resolved = resolve_models(
        *(settings.models, spaces, repositories.files, settings.preprocess, cache, problems),
        bases_of(settings),
    )
    encoders = resolve_encoders(settings.encoders, settings.preprocess, cache, problems)
    if problems:
        raise ConfigError(problems, files)
    if not pending:
        adapted, notes = resolve_adapted(
            *(settings, {**resolved, **encoders}, encoders, targets, cache, spaces)
        )
        resolved, warnings = {**resolved, **adapted}, [*warnings, *notes]
    asked = [each.name for each in settings.models if each.features]
    resolved = without_heads(resolved, asked)
    warnings += notes_on(resolved, spaces)
    warnings += notes_on_choice(resolved, primary)
    found = Experiment(
        *(settings, written, categories, resolved, roots, real, grouping),
        *(vqa, people, archive, pending, tuple(warnings), encoders),
        marks=marks,
        attributes=attributes,
        fonts=fonts,
    )
    notes = other_spellings(vqa, found.generators)
    names = {*found.models, *found.categories, *found.generators, *(vqa.models if vqa else ())}
    notes += filter(None, [escaped_names(names, fonts, settings.figures)])
    return replace(found, warnings=(*found.warnings, *notes))


def _other_problems(
    config: Mapping[str, Any], schema: Mapping[str, Any], problems: Sequence[Problem], cache: Path
) -> list[Problem]:
    """What else is wrong with a configuration that its schema refuses."""
    sound = sound_part(config, schema, problems)
    if sound is not None:
        try:
            load_experiment(sound.config, schema, (), cache)
        except ConfigError as error:
            return sound.others(error.problems)
    return []


def load_settings(written: Mapping[str, Any], schema: Mapping[str, Any]) -> Settings:
    """The typed settings of a configuration that its schema accepts, defaults filled in.

    A model given as a string becomes a mapping, and every model gets a name.
    """
    keys = schema["properties"]

    def each(models: Sequence[Any], items: Mapping[str, Any]) -> list[dict[str, Any]]:
        entries = [{"model": model} if isinstance(model, str) else model for model in models]
        return [fill_defaults(entry, items) for entry in entries]

    content = dict(written)
    for kind in ("models", "encoders"):
        content[kind] = [named(model) for model in each(written[kind], keys[kind]["items"])]
    content["adapt"] = list(map(named_adapted, written["adapt"]))
    if written["vqa"] is not None:
        items = keys["vqa"]["properties"]["models"]["items"]
        models = [named_vqa(model) for model in each(written["vqa"]["models"], items)]
        content["vqa"] = {**written["vqa"], "models": models}
    return typed(Settings, content)
