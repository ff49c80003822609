#!/usr/bin/env python3
"""Say what is known of a server's answers to a run's questions.

In: the answers, shard by shard. Out: a JSON note, in the place of one about weights: the server,
the model's name there, the settings, who answered when, and how (see
synthsight.vqa.endpoint.facts).
"""

from __future__ import annotations

from synthsight.program import Arguments, many, program
from synthsight.vqa.endpoint.facts import note_on, write_note


@program(
    many("answers", "the model's answers"),
    many("blind", "those without seeing the images", required=False),
    spec=True,
    outputs=["note"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    write_note(note_on(args.spec, args.answers, args.blind), args.note)


if __name__ == "__main__":
    main()
