"""What is written about the project: links lead somewhere, versions agree, files are there."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml

from synthsight.images.layout import Layout, find_categories
from synthsight.labels.matching import admit_rules
from tests.support import REPOSITORY, draw_image

DOCUMENTS = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ("*.md", "*/*.md", "src/**/*.md")
    for path in REPOSITORY.glob(pattern)
    if not path.is_relative_to(REPOSITORY / ".venv")
)

#: Where a document names files of the repository: ``src/...`` between backticks.
_FILE = re.compile(r"`((?:src|rules|workflow|tests|docs|config|profiles|benchmarks)/[\w./-]+)`")

VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]


def text_of(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def prose_of(name: str) -> str:
    """A document without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", text_of(name), flags=re.M | re.S)


def anchors_of(name: str) -> set[str]:
    """The anchors of a document's headings, as they are made from these."""
    headings = re.findall(r"^#+ (.+)$", prose_of(name), re.M)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


# Links -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose_of(name)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (REPOSITORY / name).parent / path if path else REPOSITORY / name
        assert target.exists(), link
        if anchor:
            assert anchor in anchors_of(target.resolve().relative_to(REPOSITORY).as_posix()), link


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_files_of_the_repository_that_a_document_names_are_there(name: str) -> None:
    """But for those that recipes have somebody write."""
    examples = re.compile(r"NAME|ROOM|/(test_)?(variety|categories)\.")
    for path in _FILE.findall(prose_of(name)):
        assert examples.search(path) or (REPOSITORY / path).exists(), path


def test_the_readme_leads_to_every_page_of_the_documentation() -> None:
    links = set(re.findall(r"\]\(([\w./-]+\.md)", text_of("README.md")))
    pages = {name for name in DOCUMENTS if name.startswith("docs/")}
    assert links >= pages | {"CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"}


# Releases ----------------------------------------------------------------------------------------


def test_version_and_date_of_the_last_release_agree() -> None:
    sections = re.findall(r"^## (.+)$", text_of("CHANGELOG.md"), re.M)
    releases = [re.fullmatch(r"(\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)", each) for each in sections]
    assert sections[0] == "Unreleased"
    assert all(releases[1:])
    last = releases[1]
    assert last is not None
    citation = yaml.safe_load(text_of("CITATION.cff"))
    assert last.groups() == (VERSION, str(citation["date-released"]))
    assert citation["version"] == VERSION


@pytest.mark.long
def test_the_command_prints_the_version() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "synthsight", "--version"], capture_output=True, text=True
    )
    assert done.stdout == f"synthsight {VERSION}\n"


def test_no_other_file_of_the_code_states_a_version() -> None:
    stated = re.compile(rf"""__version__|["']{re.escape(VERSION)}["']""")
    for folder in ("src/synthsight", "workflow/scripts", "rules"):
        for path in (REPOSITORY / folder).rglob("*"):
            if path.suffix in (".py", ".smk"):
                assert not stated.search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_command_has_a_target_behind_an_option_that_would_swallow_it(name: str) -> None:
    """`--configfile` and `--resources` take all words that follow."""
    text = text_of(name)
    assert not re.findall(
        r"--configfile \S+ (?:images|weights|logits|answers|scores|tables)\b", text
    )
    assert not re.findall(r"--resources gpu=\w+ (?:images|weights|logits|answers|scores)\b", text)


# The workflow catalog ----------------------------------------------------------------------------


def test_the_catalog_finds_what_it_shows() -> None:
    usage = yaml.safe_load(text_of(".snakemake-workflow-catalog.yml"))["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    assert usage["report"] is True
    (example,) = re.findall(r"```yaml\n(.*?)```", text_of("config/README.md"), re.S)
    schema = admit_rules(yaml.safe_load(text_of("workflow/schemas/config.schema.yaml")))
    jsonschema.validate(yaml.safe_load(example), schema)


# Contributing ------------------------------------------------------------------------------------


def test_the_commands_that_contributors_are_given_are_in_the_makefile() -> None:
    targets = set(re.findall(r"^([\w-]+):", text_of("Makefile"), re.M))
    for name in ("CONTRIBUTING.md", "README.md"):
        named = set(re.findall(r"^ *make ([a-z-]+)", text_of(name), re.M))
        named |= set(re.findall(r"`make ([a-z-]+)`", text_of(name)))
        assert named <= targets
    helped = set(re.findall(r'@echo "make ([a-z-]+)', text_of("Makefile")))
    assert helped == targets - {"help", "venv"}


@pytest.mark.parametrize("block", ["figure", "table"])
def test_the_examples_of_recipes_are_modules_that_can_be_imported(block: str) -> None:
    """Run as they stand, short of what the recipe adds to other modules."""
    section = text_of("CONTRIBUTING.md").partition(f"\n### A {block}\n")[2].partition("\n### ")[0]
    blocks = re.findall(r"^ *```python\n(.*?)^ *```", section, re.M | re.S)
    (module,) = (each for each in blocks if '"""' in each and "import annotations" in each)
    code = "\n".join(line.removeprefix("   ") for line in module.splitlines())
    if block == "table":
        code = code.replace(
            "from synthsight.statistics.columns import VARIETY",
            'VARIETY = ["model", "category", "rule", "n", "classes"]',
        )
    scope: dict[str, object] = {}
    exec(compile(code, "recipe", "exec"), scope)
    assert callable(scope["categories" if block == "figure" else "tabulate"])


# Folders of images -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "files", "layout"),
    [
        (
            0,
            ("downloaded/ADM/train/goldfish/1.png", "downloaded/muse/train/lion/a", "downloaded/x"),
            {"goldfish": [("ADM", "ADM/goldfish")], "lion": [("muse", "muse/lion")]},
        ),
        (
            1,
            (
                "GenImage/ADM/imagenet_ai_0508_adm/train/ai/207_adm_12.PNG",
                "GenImage/ADM/imagenet_ai_0508_adm/train/nature/n02099601_1.JPEG",
                "GenImage/ADM/imagenet_ai_0508_adm/val/ai/1_adm_12.PNG",
                "GenImage/ADM/imagenet_ai_0508_adm/val/nature/ILSVRC2012_val_00000001.JPEG",
                "GenImage/glide/train/ai/GLIDE_1000_200_02_207_glide_00003.png",
                "GenImage/wukong/train/ai/0_wukong_image3.png",
                "GenImage/wukong/train/ai/264_wukong_image3.png",  # Cardigan, and 474 cardigan
                "GenImage/wukong/train/nature/n02099601_1.JPEG",
            ),
            {
                "golden retriever": [
                    ("ADM", "ADM/golden retriever"),
                    ("glide", "glide/golden retriever"),
                    ("photographs", "photographs/golden retriever"),
                ],
                "tench": [("wukong", "wukong/tench")],
            },
        ),
    ],
)
def test_the_lines_that_put_folders_in_order_do_it(
    number: int,
    files: tuple[str, ...],
    layout: Layout,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in files:
        draw_image(tmp_path / "picture.png", seed=1)
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path("picture.png").rename(name)
    section = text_of("docs/images.md").partition("\n### Folders in another order\n")[2]
    code = re.findall(r"^```python\n(.*?)^```", section, re.M | re.S)[number]
    exec(compile(code, "recipe", "exec"), {})
    assert find_categories(Path("pictures"), None) == (layout, [], {}, ())
