"""What a run knows of its images, as frames: see :class:`synthsight.library.runs.Run`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.images.sources import read_sources
from synthsight.library.errors import ApiError
from synthsight.library.planned import Planned


def read_manifests(planned: Planned, names: Sequence[str]) -> pd.DataFrame:
    """The manifests of some categories, with each image's group and whether it is real.

    Warns:
        UserWarning: what is known of the images' sources is not there.
    """
    files = [planned.path(f"images/{name}.parquet") for name in names]
    table = pa.concat_tables([pq.read_table(file) for file in files])
    frame: pd.DataFrame = table.to_pandas()
    reasons = frame["image"].map(planned.left_out()).astype(object)
    frame["status"] = frame["status"].mask(reasons.notna(), "excluded")
    frame["reason"] = frame["reason"].mask(reasons.notna(), reasons)
    known = pd.DataFrame({"group": [], "real": []}, dtype=object)
    try:
        for path in planned.made_by("find_sources"):  # none in a plan of an earlier version
            known = read_sources(path).to_pandas().set_index("image")
    except ApiError as error:
        warnings.warn(f"`group` and `real` are missing: {error}", stacklevel=3)
    place = list(frame).index("generator") + 1
    frame.insert(place, "group", frame["image"].map(known["group"]))
    frame.insert(place + 1, "real", frame["image"].map(known["real"]).astype("boolean"))
    return frame


def read_map(planned: Planned, model: str) -> pd.DataFrame:
    """The places of images on a map, with each image's category and generator.

    Raises:
        ApiError: a file is not there, or not of the run's last plan.
    """
    places = pd.read_parquet(planned.path(f"maps/{model}.parquet"))[["image", "x", "y"]]
    (path,) = planned.made_by("find_sources")
    known = read_sources(path).to_pandas()[["image", "category", "generator"]]
    return places.merge(known, on="image", how="left", validate="one_to_one")
