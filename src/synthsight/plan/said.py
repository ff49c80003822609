"""The files of what is said of images besides the manifests: by people, and by a file of theirs."""

from __future__ import annotations

from dataclasses import dataclass

from synthsight.plan.experiment import Experiment


@dataclass(frozen=True)
class Said:
    """The paths of what is said of images, below a run's folder.

    Attributes:
        experiment: the experiment.
        run: the folder of its results.
    """

    experiment: Experiment
    run: str

    def people(self, kind: str) -> str:
        """What people say: their ``labels``, or their ``answers``."""
        return f"{self.run}/people/{kind}.parquet"

    @property
    def attributes(self) -> list[str]:
        """The attributes of all usable images, if any are told."""
        return [f"{self.run}/sources/attributes.parquet"] * bool(self.experiment.attributes)

    @property
    def inputs(self) -> dict[str, list[str]]:
        """What of it tables are made from, by the names of :mod:`synthsight.plan.kinds`."""
        return {
            "labels_by_people": [self.people("labels")],
            "answers_by_people": [self.people("answers")],
            "attributes_of_images": self.attributes,
        }
