#!/usr/bin/env python3
"""Ask a server the questions of one shard. It uses the network.

In: the shard (Parquet), the images, and the journals of what the model has answered before; the key
comes from the environment. Out: a line in this shard's journal for each answer, as it comes, and
Parquet with image, question, p_yes, mass, reason, predicted and said for every question whose image
can be used; the schema's metadata name the model, the settings, and who answered when. With
``blind`` in the spec the server is sent a grey picture in place of each image.
"""

from __future__ import annotations

import json
from pathlib import Path

from synthsight.errors import about
from synthsight.origin import made_with
from synthsight.program import Arguments, one, program
from synthsight.vqa.answers import write_answers
from synthsight.vqa.endpoint.asking import Task, answers_from, ask
from synthsight.vqa.endpoint.client import Access
from synthsight.vqa.endpoint.facts import facts_of
from synthsight.vqa.endpoint.request import asking_of
from synthsight.vqa.shards import read_shard


@program(
    one("shard", "the questions"),
    one("journal", "the journal to read and to continue; all in its folder are read"),
    one("key_env", "the environment variable that holds the key", required=False),
    one("timeout", "seconds for a reply"),
    one("allow_unanswered", "up to which share of the questions may stay without a reply"),
    spec=True,
    outputs=["output"],
    counts={"concurrency": None},
)
def main(args: Arguments) -> None:
    """Run the program."""
    spec = args.spec
    with about(f"model {spec['model']!r}"):
        asking = asking_of(spec["endpoint"], spec["prompt"])
        access = Access(asking.url, args.key_env, float(args.timeout), args.concurrency)
        rows = [row for row in read_shard(args.shard) if row.status == "ok"]
        journal = Path(args.journal)
        known = ask(
            Task(
                *(rows, Path(spec["root"]), asking, spec.get("blind", False)),
                *(journal.parent, journal, float(args.allow_unanswered)),
            ),
            access,
        )
    made_with("pillow")
    metadata = {**spec, "prompt": asking.prompt, "facts": facts_of(known, asking.max_tokens)}
    answers = answers_from(known, asking.max_tokens)
    write_answers(args.output, rows, answers, json.dumps(metadata, sort_keys=True))


if __name__ == "__main__":
    main()
