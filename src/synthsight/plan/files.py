"""The files of a run, and the targets that they make up.

Lists are sorted by name, so that the order of the configuration does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from synthsight.archives.archive import MARKER
from synthsight.inputs import describe
from synthsight.plan.config.vqa_models import local_files
from synthsight.plan.experiment import Experiment
from synthsight.plan.featured import Featured
from synthsight.plan.figures import FIGURES, Figure
from synthsight.plan.kinds import KINDS, Row, sources_of
from synthsight.plan.parts import Parts
from synthsight.plan.record import ON_REQUEST
from synthsight.plan.said import Said
from synthsight.plan.stems import WEIGHTS, fetched_specs, stems_of
from synthsight.plan.tables import STATISTICS, TABLES, Statistic, always, with_blind
from synthsight.plan.targets import files_of_targets


@dataclass(frozen=True)
class Files:
    """The paths of an experiment's files, relative to the working folder."""

    experiment: Experiment

    @cached_property
    def run(self) -> str:
        """The folder of the run's results."""
        return f"results/{self.experiment.settings.run}"

    @property
    def logs(self) -> str:
        """The folder of the run's logs."""
        return f"{self.run}/logs"

    @property
    def unpacked(self) -> list[str]:
        """The marker that says which archive the images come from, if they come from one."""
        archive = self.experiment.archive
        return [] if archive is None else [str(archive.root / MARKER)]

    # What jobs of single models, categories and shards read and write ---------------------------

    @cached_property
    def models(self) -> list[str]:
        """Names of the classifiers."""
        return sorted(self.experiment.models)

    @cached_property
    def networks(self) -> list[str]:
        """Names of the classifiers that are run."""
        return sorted(self.experiment.networks)

    @cached_property
    def vqa_models(self) -> list[str]:
        """Names of the VQA models."""
        return sorted(self.experiment.vqa.models) if self.experiment.vqa else []

    @cached_property
    def vqa_networks(self) -> list[str]:
        """Names of the VQA models that are run."""
        return sorted(self.experiment.vqa.networks) if self.experiment.vqa else []

    @cached_property
    def shards(self) -> list[str]:
        """Numbers of the shards of questions."""
        return list(self.experiment.vqa.shards) if self.experiment.vqa else []

    @cached_property
    def geometries(self) -> list[str]:
        """Names of the geometries of the models' preprocessing."""
        return list(dict.fromkeys(m.geometry.name for m in self.experiment.loaded.values()))

    @cached_property
    def pixels(self) -> str:
        """Folder of pixels, with wildcards.

        Kept pixels are shared by all models of their geometry. Otherwise each model has its own, so
        that a single submission makes, classifies and deletes them.
        """
        own = "" if self.experiment.settings.keep_pixels else "-of-{model}"
        return f"{self.run}/pixels/{{geometry}}{own}"

    @cached_property
    def pixels_to_embed(self) -> str:
        """The same for features: other ones if they are not kept. No name begins with a dot."""
        return self.pixels.replace("-of-", "-of-.features-")

    def pixels_of(self, model: str, category: str, to_embed: bool = False) -> str:
        """The pixels that a model's classification of a category reads, or its features."""
        geometry = self.experiment.loaded[model].geometry.name
        folder = self.pixels_to_embed if to_embed else self.pixels
        return f"{folder.format(geometry=geometry, model=model)}/{category}.arrow"

    def pixels_of_part(self, model: str, category: str, part: str, to_embed: bool = False) -> str:
        """The same for a part of a category."""
        return self.parts.path(self.pixels_of(model, category, to_embed), part)

    def checkpoint_of(self, stem: str) -> list[str]:
        """The local files of the model whose weights are called ``stem``, if it has any."""
        return self.experiment.loaded[self.model_of(stem)].local_files

    def label_file_of(self, model: str) -> list[str]:
        """The label file of a model, if its names come from one."""
        about = self.experiment.models[model]
        return [] if about.labels_content is None else [about.labels]

    def vqa_files_of(self, stem: str) -> list[str]:
        """The local files of the VQA model whose weights are called ``stem``, if it has any."""
        assert self.experiment.vqa is not None
        return local_files(self.experiment.vqa.networks[self.model_of(stem)])

    @cached_property
    def stems(self) -> dict[str, str]:
        """How each model's weights are called, of either kind of model, by its name."""
        return stems_of(self._fetched)

    @cached_property
    def _fetched(self) -> dict[str, str]:
        """The specs of the models' weights."""
        return fetched_specs(self.experiment)

    def fetch_spec(self, stem: str) -> str:
        """The spec of the weights that are called ``stem``."""
        return self._fetched[self.model_of(stem)]

    def model_of(self, stem: str) -> str:
        """The model whose weights are called ``stem``."""
        return next(name for name, each in self.stems.items() if each == stem)

    def weights_of(self, model: str) -> str:
        """The weights of a model of either kind."""
        return f"{WEIGHTS}/{self.stems[model]}.safetensors"

    def note_of(self, model: str) -> str:
        """The note on a model of either kind: its weights, or where what it says comes from."""
        if model in self.experiment.imported:
            return f"{self.run}/predictions/{model}.json"
        if model in self.vqa_models and model not in self.vqa_networks:
            return f"{self.run}/vqa/answers/{model}.json"
        if model in self.experiment.adapted:
            return self.featured.note_on_adapted(model)
        return f"{WEIGHTS}/{self.stems[model]}.json"

    def folder_of(self, vqa_model: str) -> str:
        """What a VQA model needs besides weights."""
        return f"{WEIGHTS}/{self.stems[vqa_model]}"

    def logits_of(self, model: str) -> list[str]:
        """The logits of one model, category by category; none of predictions made elsewhere."""
        if model in self.experiment.imported:
            return []
        return [f"{self.run}/logits/{model}/{each}.parquet" for each in self.experiment.categories]

    def predictions_of(self, model: str) -> list[str]:
        """What was imported of a model whose predictions were made elsewhere; none of others."""
        return [f"{self.run}/predictions/{model}.parquet"] * (model in self.experiment.imported)

    def answers_of(self, vqa_model: str) -> list[str]:
        """The answers of one model, shard by shard; in one file if they were made elsewhere."""
        if self.experiment.vqa and vqa_model in self.experiment.vqa.imported:
            return [f"{self.run}/vqa/answers/{vqa_model}.parquet"]
        return [f"{self.run}/vqa/answers/{vqa_model}/{shard}.parquet" for shard in self.shards]

    def blind_answers_of(self, vqa_model: str) -> list[str]:
        """The answers of one model without seeing the images, if that is asked for."""
        if not self.experiment.vqa or vqa_model in self.experiment.vqa.imported:
            return []
        return self.answers_of(f"{vqa_model}/blind") * with_blind(self.experiment)

    @cached_property
    def label_files(self) -> list[str]:
        """The label files of all models."""
        return sorted({file for model in self.models for file in self.label_file_of(model)})

    def manifest_of(self, category: str) -> str:
        """The manifest of one category."""
        return f"{self.run}/images/{category}.parquet"

    @cached_property
    def manifests(self) -> list[str]:
        """The manifests of all categories."""
        return list(map(self.manifest_of, self.experiment.categories))

    @property
    def sources(self) -> str:
        """Where the usable images of all categories come from, and which belong together."""
        return f"{self.run}/sources/images.parquet"

    @property
    def excluded(self) -> list[str]:
        """The table of what is excluded, where it holds more than the manifests say.

        That is duplicates, marked images, and images without a prediction.
        """
        return [self.table("excluded")] if self.experiment.excludes_more else []

    @property
    def duplicates_to_exclude(self) -> list[str]:
        """The table of duplicates, if these are left out."""
        return [self.table("duplicates")] if self.experiment.excludes_duplicates else []

    @property
    def predictions_to_exclude(self) -> list[str]:
        """Imported predictions of models whose images without one are left out."""
        models = self.experiment.excludes_unpredicted
        return [file for model in models for file in self.predictions_of(model)]

    @cached_property
    def weights(self) -> list[str]:
        """The weights of classifiers and encoders."""
        return list(map(self.weights_of, sorted(self.experiment.loaded)))

    @cached_property
    def notes(self) -> list[str]:
        """The notes on the classifiers' weights, or on imported predictions."""
        return list(map(self.note_of, self.models))

    @cached_property
    def vqa_weights(self) -> list[str]:
        """The weights of the VQA models that are run."""
        return list(map(self.weights_of, self.vqa_networks))

    @cached_property
    def vqa_notes(self) -> list[str]:
        """The notes on the VQA models."""
        return list(map(self.note_of, self.vqa_models))

    @cached_property
    def logits(self) -> list[str]:
        """All logits."""
        return [file for model in self.models for file in self.logits_of(model)]

    @cached_property
    def parts(self) -> Parts:
        """The parts of categories that have many images."""
        return Parts(self.experiment, self.run)

    @cached_property
    def featured(self) -> Featured:
        """Features, and what is learned from them."""
        return Featured(self.experiment, self.run)

    @cached_property
    def scores(self) -> list[str]:
        """The scores of all classifiers."""
        return [f"{self.run}/scores/{model}.parquet" for model in self.models]

    @cached_property
    def question_shards(self) -> list[str]:
        """The shards of questions."""
        return list(map(self.shard_file, self.shards))

    def shard_file(self, shard: str) -> str:
        """The questions of one shard."""
        return f"{self.run}/vqa/questions/{shard}.parquet"

    @cached_property
    def answers(self) -> list[str]:
        """All answers."""
        of = (self.answers_of, self.blind_answers_of)
        return [file for model in self.vqa_models for each in of for file in each(model)]

    @cached_property
    def vqa_scores(self) -> list[str]:
        """The scored answers of all VQA models."""
        return [f"{self.run}/vqa/{model}.parquet" for model in self.vqa_models]

    @cached_property
    def said(self) -> Said:
        """What people, and a file of theirs, say of images."""
        return Said(self.experiment, self.run)

    @cached_property
    def thumbnails(self) -> list[str]:
        """Small pictures of the images, by category."""
        return [f"{self.run}/thumbnails/images/{c}.parquet" for c in self.experiment.categories]

    @cached_property
    def vqa_thumbnails(self) -> list[str]:
        """Small pictures of the images that questions are about, by shard."""
        return [f"{self.run}/thumbnails/questions/{shard}.parquet" for shard in self.shards]

    @cached_property
    def statistics(self) -> list[Statistic]:
        """The rules of this experiment that make tables."""
        return [each for each in STATISTICS if each.when(self.experiment)]

    def tables_of(self, statistic: Statistic) -> list[tuple[str, str, str]]:
        """The files that a rule writes its tables to: table, extension and path of each."""
        return [
            (table.name, ending, f"{self.run}/tables/{table.name}.{ending}")
            for table in statistic.tables
            for ending in (("csv", "parquet") if table.csv else ("parquet",))
        ]

    def table(self, name: str) -> str:
        """The file of a table that stages read."""
        return f"{self.run}/tables/{name}.parquet"

    @cached_property
    def tables(self) -> list[str]:
        """The tables for people."""
        tables = [table for each in self.statistics for table in each.tables if table.csv]
        return sorted(f"{self.run}/tables/{table.name}.csv" for table in tables)

    @cached_property
    def report_tables(self) -> list[str]:
        """All tables, as the report reads them: those of every run, of some runs, without CSV."""
        of_all = [each for each in self.statistics if each.when is always]
        of_some = [each for each in self.statistics if each.when is not always]
        names = sorted(table.name for each in of_all for table in each.tables)
        names += [table.name for each in of_some for table in each.tables]
        return [self.table(name) for name in sorted(names, key=lambda name: not TABLES[name].csv)]

    @cached_property
    def figures(self) -> list[str]:
        """All figures, in each format."""
        return [
            f"{self.run}/figures/{stem}.{ending}"
            for figure in self.figure_rows
            for _, stem in figure.files_of(self.experiment)
            for ending in self.experiment.settings.figures.formats
        ]

    @cached_property
    def figure_rows(self) -> list[Figure]:
        """The figures of this experiment."""
        return [figure for figure in FIGURES if figure.when(self.experiment)]

    @cached_property
    def report(self) -> str:
        """The page that people open."""
        return f"{self.run}/report.html"

    @property
    def rating(self) -> str:
        """The folder of the pages that people rate images on."""
        return f"{self.run}/{ON_REQUEST}"

    @cached_property
    def rating_pages(self) -> list[str]:
        """The pages that people rate images on: one of images, and one of questions if any."""
        pages = ["rating.html", *(["rating_questions.html"] if self.experiment.vqa else [])]
        return [f"{self.rating}/{page}" for page in pages]

    # Inputs of the programs that go by rows -----------------------------------------------------

    def input(self, name: str) -> tuple[str, list[str]]:
        """How an input of a table or a figure is read, and its files.

        Args:
            name: of a table, or a kind of files (:data:`synthsight.plan.kinds.KINDS`), such as
                ``manifests``, with what of them is excluded as a duplicate, if anything is.

        Returns:
            The kind of reader (:mod:`synthsight.readers`) and the files.
        """
        if name in TABLES:
            return "table", [self.table(name)]
        if name == "manifests" and self.excluded:
            name = "manifests_without_duplicates"
        files: Mapping[str, list[str]] = {
            "manifests": self.manifests,
            "manifests_without_duplicates": [*self.excluded, *self.manifests],
            "photographs": [self.sources],
            "scores": self.scores,
            "notes": self.notes,
            "answers": self.vqa_scores,
            "vqa_notes": self.vqa_notes,
            **self.said.inputs,
            **self.featured.inputs,
            "answers_of_model": [f"{self.run}/vqa/{{vqa_model}}.parquet"],
            "indexed_images": self.manifests,
            "indexed_of_category": [self.manifest_of("{category}")],
            "indexed_questions": self.question_shards,
        }
        return KINDS[name], files[name]

    def inputs_of(self, row: Row) -> dict[str, list[str]]:
        """The inputs of a row's rule, by the names of its function's parameters."""
        return {name: self.input(source)[1] for name, source in sources_of(row).items()}

    def described(self, row: Row) -> list[str]:
        """What these inputs are, for the program (see :mod:`synthsight.inputs`)."""
        found = [(name, *self.input(source)) for name, source in sources_of(row).items()]
        return describe((name, kind, len(files)) for name, kind, files in found)

    @cached_property
    def targets(self) -> dict[str, list[str]]:
        """The files of each named target, as in ``snakemake logits``; ``all`` is the default."""
        return files_of_targets(self)
