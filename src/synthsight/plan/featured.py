"""The files that are made of features, by what is learned from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from synthsight.plan.experiment import Experiment


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

    @cached_property
    def maps(self) -> list[str]:
        """Where each image lies on a map, model by model."""
        return [file for model in self.models_of("map") for file in self.maps_of(model)]
