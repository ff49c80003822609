"""The files of what is learned from the images: from their features, and by training models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from synthsight.plan.config.adapted import FINETUNE, LINEAR
from synthsight.plan.experiment import Experiment
from synthsight.plan.parts import Parts


@dataclass(frozen=True)
class Featured:
    """The paths of what is learned from features, below a run's folder.

    Attributes:
        experiment: the experiment.
        run: the folder of its results.
    """

    experiment: Experiment
    run: str

    def features_of(self, model: str) -> list[str]:
        """The features of one model, category by category."""
        return [f"{self.run}/features/{model}/{c}.parquet" for c in self.experiment.categories]

    @cached_property
    def features(self) -> list[str]:
        """All features."""
        return [f for m in sorted(self.experiment.embedded) for f in self.features_of(m)]

    def models_of(self, key: str) -> list[str]:
        """The models whose features serve ``transfer``, ``distances`` or ``map``; sorted."""
        about = getattr(self.experiment.settings, key)
        if about is None:
            return []
        return sorted(self.experiment.embedded if about.models is None else about.models)

    def heads_of(self, model: str) -> list[str]:
        """How classifiers trained on each source do on each, and the same by category."""
        return [f"{self.run}/heads/{model}/{part}.parquet" for part in ("pairs", "categories")]

    def distances_of(self, model: str) -> list[str]:
        """How far generated images are from photographs."""
        return [f"{self.run}/distances/{model}.parquet"]

    def maps_of(self, model: str) -> list[str]:
        """Where each image lies on a map."""
        return [f"{self.run}/maps/{model}.parquet"]

    @cached_property
    def split(self) -> list[str]:
        """The folder of a division of the images and what is in it, if one is exported."""
        about = self.experiment.settings.transfer
        names = [f"{self.run}/split", f"{self.run}/split.parquet"]
        return names if about is not None and about.export else []

    @cached_property
    def heads(self) -> list[str]:
        """How classifiers trained on each source do on each, model by model."""
        return [self.heads_of(model)[0] for model in self.models_of("transfer")]

    @cached_property
    def heads_by_category(self) -> list[str]:
        """The same by category."""
        return [self.heads_of(model)[1] for model in self.models_of("transfer")]

    @cached_property
    def distances(self) -> list[str]:
        """How far generated images are from photographs, model by model."""
        return [f for model in self.models_of("distances") for f in self.distances_of(model)]

    @property
    def learned(self) -> list[str]:
        """What is learned model by model, of which tables and the page are made."""
        return [*self.heads, *self.heads_by_category, *self.distances, *self.maps]

    @cached_property
    def maps(self) -> list[str]:
        """Where each image lies on a map, model by model."""
        return [file for model in self.models_of("map") for file in self.maps_of(model)]

    @property
    def inputs(self) -> dict[str, list[str]]:
        """What tables are made from, by the names of :data:`synthsight.plan.kinds.KINDS`."""
        return {
            "heads": self.heads,
            "heads_by_category": self.heads_by_category,
            "distances_by_model": self.distances,
            "adapted_parts": self.adapted_parts,
        }

    # Adapted models -----------------------------------------------------------------------------

    def adapted_by(self, method: str) -> list[str]:
        """The names of the models that are adapted by a method, sorted."""
        found = self.experiment.adapted.items()
        return sorted(name for name, about in found if about.method == method)

    @cached_property
    def linear(self) -> list[str]:
        """Those with a new last layer."""
        return self.adapted_by(LINEAR)

    @cached_property
    def finetuned(self) -> list[str]:
        """Those of which the whole network is trained."""
        return self.adapted_by(FINETUNE)

    def note_on_adapted(self, model: str) -> str:
        """What an adapted model was made from, and how."""
        return f"{self.run}/adapted/{model}.json"

    def parts_of(self, model: str) -> str:
        """By which of its networks an adapted model predicts each image."""
        return f"{self.run}/adapted/{model}/parts.parquet"

    def layers_of(self, model: str) -> str:
        """The new last layers of all parts of a model."""
        return f"{self.run}/adapted/{model}/layers.safetensors"

    def folds_of(self, model: str) -> list[str]:
        """The numbers of the parts that a model's images are divided into."""
        return list(map(str, range(self.experiment.adapted[model].folds)))

    def fold_of(self, model: str, fold: str) -> list[str]:
        """A network that was trained without a part of the images, and what it says of these."""
        return [f"{self.run}/adapted/{model}/{fold}.{end}" for end in ("safetensors", "parquet")]

    @cached_property
    def adapted_parts(self) -> list[str]:
        """By which of its networks each adapted model predicts each image, model by model."""
        return list(map(self.parts_of, sorted(self.experiment.adapted)))

    @cached_property
    def pixels_to_adapt(self) -> str:
        """The folder of pixels that a network is trained on, with wildcards.

        If they are not kept, each network has its own: were they made again for one that is to be
        trained again, all that shared them would be.
        """
        own = "" if self.experiment.settings.keep_pixels else "-of-.{fold}-{model}"
        return f"{self.run}/pixels/{{geometry}}{own}"

    def pixels_to_train(self, model: str, fold: str) -> list[str]:
        """The pixels of all categories that a network is trained on."""
        base = self.experiment.adapted[model].base
        geometry = self.experiment.loaded[base].geometry.name
        folder = self.pixels_to_adapt.format(geometry=geometry, model=model, fold=fold)
        paths = [f"{folder}/{category}.arrow" for category in self.experiment.categories]
        parts = Parts(self.experiment, self.run)
        return [each for path in paths for each in parts.files(path)]
