"""Names are plain text: nothing from the configuration or from file names reaches a shell as code.

That checkpoints never run code is tested where they are read (test_weights, test_fetch_vqa,
test_ofa_checkpoint), that strangers get nothing from a worker in test_worker, that the page escapes
in test_report and test_report_browser.
"""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from tests.support import Project, draw_image

#: What the small project's names become: each would make the file `pwned`, or delete others, if a
#: shell ever took it for a piece of a command.
HOSTILE = {
    "bagel": "bagel $(touch pwned)",
    "clock": "clock'; touch pwned; 'x",
    "dream": "-rf",
    "muse": 'muse" && touch pwned; "',
    "effnet": "$(touch pwned)",
    "resnet": "; rm -rf *; touch pwned 'x\" #",
    "asked": "`touch pwned`",
    "other": "|touch pwned&",
}

#: What files become that the configuration names.
FILES = {
    "labels.txt": "@$(touch pwned) labels.txt",
    "questions.csv": "$(touch pwned);'\"questions.csv",
    "checkpoints": "-c `touch pwned`; 'points",
    "pictures": "$(touch pwned) \"'pictures\\",
}

#: Names of images, besides those of the small project.
IMAGES = (
    *("a b.png", "new\nline.png", "ünï✓.png", "$(touch pwned).png", "--x '\".png", "[1].png"),
    "; rm -rf x.png",
)


def rename(text: str) -> str:
    """A path of the small project, or a name, as it is called here."""
    parts = text.split("/")
    return "/".join(FILES.get(part, HOSTILE.get(part, part)) for part in parts)


def renamed(value: object) -> object:
    if isinstance(value, dict):
        return {key: renamed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [renamed(item) for item in value]
    if isinstance(value, str):
        return rename(value)
    return value


@pytest.mark.long
def test_names_are_plain_text_in_every_command(project: Project, finished: Project) -> None:
    folder = project.folder
    shutil.rmtree(project.results)
    shutil.rmtree(folder / "resources" / "weights")
    for name, hostile in HOSTILE.items():
        for path in list((folder / "pictures").rglob(name)):
            path.rename(path.with_name(hostile))
    for name, hostile in FILES.items():
        (folder / name).rename(folder / hostile)
    place = f"{HOSTILE['dream']}/{HOSTILE['clock']}"
    images = [f"{place}/{name}" for name in IMAGES]
    for seed, image in enumerate(images):
        draw_image(folder / FILES["pictures"] / image, seed)
    labels = folder / FILES["labels.txt"]
    text = labels.read_text().replace("bagel,", "bagel touch pwned,")
    labels.write_text(text.replace("analog clock", "clock touch pwned x"))
    questions = folder / FILES["questions.csv"]
    table = pd.read_csv(questions)
    table["image"] = table["image"].map(rename)
    more = pd.DataFrame({"image": images, "question": "$(touch pwned)?", "answer": "yes"})
    pd.concat([table, more]).to_csv(questions, index=False)
    config = renamed(project.config)
    assert isinstance(config, dict)
    project.configure(config)

    project.run()
    assert [str(path) for path in folder.rglob("pwned*")] == []
    made = {str(path.relative_to(project.results)) for path in project.results.rglob("*.csv")}
    assert made == {
        str(path.relative_to(finished.results)) for path in finished.results.rglob("*.csv")
    }
    accuracy = pd.read_parquet(project.results / "tables" / "accuracy.parquet")
    assert set(accuracy["model"]) == {HOSTILE["effnet"], HOSTILE["resnet"]}
    assert {HOSTILE["bagel"], HOSTILE["clock"]} < set(accuracy["category"])
    assert {HOSTILE["dream"], HOSTILE["muse"]} < set(accuracy["generator"])
    before = pd.read_parquet(finished.results / "tables" / "accuracy.parquet")
    assert len(accuracy) == len(before)
    for model in (HOSTILE["effnet"], HOSTILE["resnet"]):
        scores = pd.read_parquet(project.results / "scores" / f"{model}.parquet")
        assert {*images} <= {*scores["image"]}
        assert set(scores.loc[scores["image"].isin(images), "category"]) == {HOSTILE["clock"]}
    answers = pd.read_parquet(project.results / "tables" / "vqa.parquet")
    assert set(answers["model"]) == {HOSTILE["asked"], HOSTILE["other"]}
    asked = pd.read_parquet(project.results / "vqa" / f"{HOSTILE['asked']}.parquet")
    assert {*images} <= {*asked["image"]}
    of_finished = pd.read_csv(finished.results / "tables" / "vqa.csv")["n"].sum()
    assert answers["n"].sum() == of_finished + 2 * len(images)
    assert project.plan() == set()
