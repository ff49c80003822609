#!/usr/bin/env python3
"""Ask one VQA model the questions of one shard.

In: the shard (Parquet), the images, and the model's weights, note and folder. Out: Parquet with
image, question, p_yes, mass and, where the model cannot take it, the reason, for every question
whose image can be used; the schema's metadata name the model, weights and settings. With ``blind``
in the spec the model is shown a grey picture in place of each image.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch

from synthsight.canonical import canonical_json
from synthsight.errors import about
from synthsight.files import MAKE_AGAIN, FileError, check_sha256, read_json
from synthsight.inference.batches import choose_device, name_of, report_speed
from synthsight.inference.cache import ModelCache, file_identity
from synthsight.inference.checkpoints import read_stored
from synthsight.inference.folders import check_contents
from synthsight.origin import depends_on_note, made_with
from synthsight.program import Arguments, one, program
from synthsight.vqa.answers import write_answers
from synthsight.vqa.ask import ask
from synthsight.vqa.families.base import VqaModel, load_vqa
from synthsight.vqa.shards import read_shard


@program(
    one("shard", "the questions"),
    one("weights", "the model's weights, safetensors"),
    one("note", "the note about the weights, JSON"),
    one("folder", "what else the model needs"),
    spec=True,
    outputs=["output"],
    counts={"batch_size": None, "threads": 1},
)
def main(args: Arguments, models: ModelCache | None = None) -> None:
    """Run the program; in a worker, with the models that are already loaded."""
    spec = args.spec
    models = ModelCache() if models is None else models  # an empty one is false, too
    device = choose_device()
    torch.set_num_threads(args.threads)
    note = read_json(
        args.note,
        ["name", "family", "settings", "sha256", "safetensors_sha256", "folder", "source"],
    )
    if note["name"] != spec["model"]:
        raise FileError(
            f"{args.note} is about {note['name']!r}, not {spec['model']!r}; {MAKE_AGAIN}"
        )
    stated = note["safetensors_sha256"]

    def load() -> VqaModel[Any, Any, Any]:
        check_sha256(args.weights, stated, args.note)
        check_contents(args.folder, note["folder"], args.note)
        state = read_stored(args.weights)
        return load_vqa(note["family"], args.folder, state, note["settings"], device)

    rows = [row for row in read_shard(args.shard) if row.status == "ok"]
    parts = canonical_json([note["family"], note["settings"], note["folder"]])
    key = (parts, stated, *file_identity(args.weights))
    model = models.get(key, load, device)
    start = time.perf_counter()
    with about(f"model {spec['model']!r}"):
        answers = ask(
            model,
            rows,
            Path(spec["root"]),
            args.batch_size,
            args.threads,
            spec["precision"],
            spec.get("blind", False),
            lambda: models.release(keep=model),
        )
    print(report_speed(len(rows), "questions", time.perf_counter() - start, device))
    depends_on_note(note)
    made_with(*model.packages, device=name_of(device))
    metadata = {
        **spec,
        "family": note["family"],
        "settings": note["settings"],
        "weights_sha256": note["sha256"],
        "weights_source": note["source"],
    }
    write_answers(args.output, rows, answers, json.dumps(metadata, sort_keys=True))


if __name__ == "__main__":
    main()
