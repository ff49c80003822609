"""Which pictures people are shown, and that neither they nor their page tell what they are."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageCms

from synthsight.errors import SynthsightError
from synthsight.files import sha256_of
from synthsight.images.manifest import index_images, write_manifest
from synthsight.images.sources import Sources, find_sources
from synthsight.people.disguise import disguised
from synthsight.rating.pictures import (
    choose_images,
    choose_questions,
    read_pictures,
    write_pictures,
)
from synthsight.vqa.shards import ShardRow, write_shard
from tests.support import run_program

GENERATORS = ("midjourney", "stable_diffusion")
CATEGORIES = ("umbrella", "zebra")


def draw(path: Path, seed: int, size: tuple[int, int] = (60, 40)) -> None:
    """A picture of noise whose file tells in many ways what it is."""
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    about = image.getexif()
    about[0x010E] = about[0x0131] = f"{path.parent.name} by {path.parent.parent.name}"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, exif=about, icc_profile=profile, xmp=b"<x>zebra midjourney</x>")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with images, their manifests and sources."""
    for number, (generator, category, each) in enumerate(
        (generator, category, each)
        for generator in GENERATORS
        for category in CATEGORIES
        for each in range(3)
    ):
        draw(tmp_path / "pictures" / generator / category / f"{category}_{each}.png", number)
    manifests = []
    for category in CATEGORIES:
        folders = [(generator, f"{generator}/{category}") for generator in GENERATORS]
        records = index_images(tmp_path / "pictures", category, folders)
        manifests.append(tmp_path / f"{category}.parquet")
        write_manifest(manifests[-1], records, tmp_path / "pictures")
    find_sources(manifests, Sources(frozenset(), None), tmp_path / "sources.parquet")
    return tmp_path


def make_page(run: Path, limit: int = 100, seed: int = 0) -> str:
    """The page as the workflow's programs make it."""
    spec = {"limit": limit, "seed": seed, "side": 32}
    (run / "rating").mkdir(exist_ok=True)
    done = run_program(
        "rating_pictures",
        *("--sources", run / "sources.parquet", "--root", run / "pictures"),
        *("--manifests", *(run / f"{category}.parquet" for category in CATEGORIES)),
        *("--spec", json.dumps(spec), "--output", run / "rating" / "pictures.parquet"),
    )
    assert done.returncode == 0, done.stderr
    spec = {"categories": list(CATEGORIES), "instructions": None, "consent": None}
    done = run_program(
        "rating_page",
        *("--pictures", run / "rating" / "pictures.parquet"),
        *("--spec", json.dumps(spec), "--output", run / "rating" / "rating.html"),
    )
    assert done.returncode == 0, done.stderr
    assert " MB" in done.stdout
    return (run / "rating" / "rating.html").read_text(encoding="utf-8")


def unpacked(page: str) -> str:
    """What a page says, with what is packed in it: how it was made, and the pictures' files."""
    (mark,) = re.findall(r"synthsight-origin:[0-9a-f]{32}\.([\w=-]+)\.", page)
    found = [page, zlib.decompress(base64.urlsafe_b64decode(mark)).decode()]
    for chunk in re.findall(r'id="pictures-\d+">(.*?)</script>', page):
        found += [base64.b64decode(each).decode("latin-1") for each in json.loads(chunk)]
    return "\n".join(found)


def data_of(page: str) -> dict[str, list[str]]:
    """The page's data."""
    (text,) = re.findall(r'id="data">(.*?)</script>', page)
    found: dict[str, list[str]] = json.loads(text)
    return found


# What the page tells ----------------------------------------------------------------------------


def test_the_page_tells_neither_paths_nor_generators_nor_what_a_picture_shows(run: Path) -> None:
    page = make_page(run)
    said = unpacked(page)
    assert len(said) > len(page) + 1000, "the pictures' bytes are looked through, too"
    for generator in GENERATORS:
        assert generator not in said
    for path in (run / "pictures").rglob("*.png"):
        assert path.name not in said and path.stem not in said
        assert sha256_of(path) not in said
    assert str(run) not in said
    # A category's name is a choice: as its value, its label, in two lists before the start, and in
    # how the page was made; not once for each picture.
    for category in CATEGORIES:
        assert said.count(category) == 5


def test_pictures_are_in_the_order_of_names_that_say_nothing(run: Path) -> None:
    names = data_of(make_page(run))["names"]
    images = sorted((run / "pictures").rglob("*.png"))
    expected = {
        disguised(path.relative_to(run / "pictures").as_posix(), sha256_of(path)): path
        for path in images
    }
    assert names == sorted(expected)
    for name, picture in zip(
        names, read_pictures(run / "rating" / "pictures.parquet"), strict=True
    ):
        assert picture.name == name
        shown = np.asarray(Image.open(io.BytesIO(picture.webp)).convert("RGB"), dtype=float)
        original = Image.open(expected[name]).convert("RGB").resize(shown.shape[1::-1])
        assert abs(shown - np.asarray(original, dtype=float)).mean() < 25, "another picture"


def test_pictures_hold_pixels_and_nothing_else(run: Path) -> None:
    make_page(run)
    for picture in read_pictures(run / "rating" / "pictures.parquet"):
        with Image.open(io.BytesIO(picture.webp)) as image:
            assert image.format == "WEBP" and max(image.size) == 32
            assert not {"exif", "icc_profile", "xmp"} & {*image.info}
        kinds = re.findall(rb"EXIF|XMP |ICCP", picture.webp[:64])
        assert kinds == []


def test_what_a_reader_leaves_with_the_pixels_is_left_out(tmp_path: Path) -> None:
    def read(image: str) -> Image.Image:
        found = Image.new("RGB", (9, 9))
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        found.info |= {"icc_profile": profile, "exif": b"Exif\0\0zebra", "xmp": b"<x>zebra</x>"}
        return found

    write_pictures({("zebra.png", "00"): ()}, read, 9, tmp_path / "x.parquet")
    (picture,) = read_pictures(tmp_path / "x.parquet")
    with Image.open(io.BytesIO(picture.webp)) as image:
        assert not {"exif", "icc_profile", "xmp"} & {*image.info}


def test_a_picture_that_was_exchanged_after_indexing_is_refused(run: Path) -> None:
    draw(run / "pictures" / "midjourney" / "zebra" / "zebra_1.png", seed=77)
    with pytest.raises(AssertionError, match=r"zebra_1\.png: changed since indexing"):
        make_page(run)


def test_the_page_is_the_same_each_time(run: Path) -> None:
    assert make_page(run) == make_page(run)


# Which pictures ---------------------------------------------------------------------------------


def write_table(path: Path, sizes: dict[tuple[str, str | None], int]) -> Path:
    rows = [
        {
            "image": f"{generator}/{category}/{each}.png",
            "category": category,
            "generator": generator,
        }
        for (category, generator), size in sizes.items()
        for each in range(size)
    ]
    schema = pa.schema([(name, pa.string()) for name in ("image", "category", "generator")])
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
    return path


def test_the_sample_has_each_category_s_and_source_s_share(tmp_path: Path) -> None:
    sizes = {("kite", "a"): 60, ("kite", None): 20, ("vase", "a"): 30, ("vase", "b"): 10}
    table = write_table(tmp_path / "sources.parquet", sizes)
    chosen = choose_images(table, 12, 0)
    counts = Counter(tuple(image.split("/")[:2]) for image in chosen)
    assert counts == {("a", "kite"): 6, ("None", "kite"): 2, ("a", "vase"): 3, ("b", "vase"): 1}


def test_each_category_and_source_is_shown_though_fewer_images_are_asked_for(
    tmp_path: Path,
) -> None:
    sizes = {(f"kite{n}", "a"): 2 for n in range(4)} | {("kite0", "rare"): 1}
    chosen = choose_images(write_table(tmp_path / "sources.parquet", sizes), 3, 0)
    assert {image.split("/")[1] for image in chosen} == {"kite0", "kite1", "kite2", "kite3"}
    assert {image.split("/")[0] for image in chosen} == {"a", "rare"}
    assert len(chosen) == 5, "one of each category, and one of the source without a place in them"


def test_another_seed_chooses_other_images_and_a_large_number_all(tmp_path: Path) -> None:
    table = write_table(tmp_path / "sources.parquet", {("kite", "a"): 50, ("vase", "a"): 50})
    one, other = (choose_images(table, 10, seed) for seed in (0, 1))
    assert one != other
    assert len(one) == len(other) == 10
    assert len(choose_images(table, 100, 1)) == 100


def shard_row(
    image: str, question: str, *, answer: str = "yes", sha256: str = "", reason: str | None = None
) -> ShardRow:
    status = "ok" if reason is None else "excluded"
    return ShardRow(1, image, question, answer, "a", None, sha256 or image, status, reason)


def test_questions_that_are_left_out_are_asked_of_nobody(tmp_path: Path) -> None:
    rows = [
        shard_row("a.png", "Is it red?"),
        shard_row("a.png", "Are there two?"),
        shard_row("broken.png", "Is it red?", reason="empty file"),
        shard_row("copy.png", "Is it red?", sha256="a.png"),
    ]
    write_shard(tmp_path / "1.parquet", rows[:2])
    write_shard(tmp_path / "2.parquet", rows[2:])
    chosen = choose_questions([tmp_path / "1.parquet", tmp_path / "2.parquet"], 10, 0)
    assert chosen == {("a.png", "a.png"): ["Are there two?", "Is it red?"]}


def test_the_sample_of_questions_has_each_kind_s_share(tmp_path: Path) -> None:
    asked = [f"Is number {each} red?" for each in range(30)]  # colour
    asked += [f"Is nobody in place {each}?" for each in range(10)]  # negation
    rows = [shard_row(f"{each}.png", question) for each, question in enumerate(asked)]
    write_shard(tmp_path / "1.parquet", rows)
    chosen = choose_questions([tmp_path / "1.parquet"], 8, 0)
    counts = Counter(question.split()[1] for (question,) in chosen.values())
    assert counts == {"number": 6, "nobody": 2}


def test_the_answers_have_no_part_in_what_is_asked(tmp_path: Path) -> None:
    for name, answers in (("1", ("yes", "no")), ("2", ("no", "yes"))):
        rows = [
            shard_row(f"{each}.png", f"Is number {each} red?", answer=answers[each % 2])
            for each in range(40)
        ]
        write_shard(tmp_path / f"{name}.parquet", rows)
    one, other = (choose_questions([tmp_path / f"{name}.parquet"], 9, 0) for name in "12")
    assert one == other and len(one) == 9


def test_a_page_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SynthsightError, match="nothing can be shown to people"):
        write_pictures({}, lambda _: Image.new("RGB", (9, 9)), 9, tmp_path / "x.parquet")
    assert not (tmp_path / "x.parquet").exists()


def test_two_images_of_one_disguised_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthsight.rating.pictures.disguised", lambda *_: "image-0")
    read: Callable[[str], Image.Image] = lambda _: Image.new("RGB", (9, 9))  # noqa: E731
    with pytest.raises(SynthsightError, match="'a' and 'b' have one disguised name"):
        write_pictures({("a", "1"): (), ("b", "2"): ()}, read, 9, tmp_path / "x.parquet")
