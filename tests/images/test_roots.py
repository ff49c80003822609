"""Images in folders outside of the root are read from there, and from nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthsight.files import sha256_of
from synthsight.images.manifest import index_images, read_manifest, write_manifest
from synthsight.images.pixels import read_batches
from synthsight.images.reading import UnusableImageError, open_file
from synthsight.images.roots import Roots, roots_of
from synthsight.report.thumbnails import read_thumbnails
from tests.support import draw_image, run_program

FOLDERS: list[tuple[str | None, str]] = [("mj", "mj/cat"), ("val", "val/cat")]
IMAGES = ["mj/cat/1.png", "val/cat/1.png"]


@pytest.fixture(name="roots")
def roots_(tmp_path: Path) -> Roots:
    """Generated images below a root, and photographs of the same category elsewhere."""
    draw_image(tmp_path / "made" / "mj" / "cat" / "1.png", 1)
    draw_image(tmp_path / "other" / "val" / "cat" / "1.png", 2)
    draw_image(tmp_path / "other" / "secret.png", 3)
    return Roots(tmp_path / "made", {"val": tmp_path / "other" / "val"})


def test_an_image_elsewhere_is_called_as_if_it_lay_in_the_root(roots: Roots) -> None:
    found = {record.image: record for record in index_images(roots, "cat", FOLDERS)}
    assert list(found) == IMAGES
    for image, record in found.items():
        assert record.status == "ok" and record.sha256 == sha256_of(roots.path(image))
    assert found["val/cat/1.png"].generator == "val"


@pytest.mark.parametrize("target", ["secret.png", "../made/mj/cat/1.png"])
def test_a_link_that_leads_out_of_its_own_folder_is_not_followed(roots: Roots, target: str) -> None:
    """Neither to the folder above, nor to another of the folders."""
    roots.path("val/cat/0.png").symlink_to(roots.elsewhere["val"].parent / target)
    record = index_images(roots, "cat", FOLDERS)[1]
    assert record.image == "val/cat/0.png" and record.sha256 is None
    assert record.reason == (
        f"a link that leads out of {roots.elsewhere['val']}: copy the file instead"
    )


def test_a_path_elsewhere_does_not_climb(roots: Roots) -> None:
    with pytest.raises(UnusableImageError), open_file(roots, "val/../secret.png"):
        pass


def test_a_manifest_says_where_its_images_lie(roots: Roots, tmp_path: Path) -> None:
    records = index_images(roots, "cat", FOLDERS)
    write_manifest(tmp_path / "with.parquet", records, roots)
    write_manifest(tmp_path / "without.parquet", records)
    assert roots_of(roots.root, tmp_path / "with.parquet") == roots
    assert roots_of(roots.root, tmp_path / "without.parquet") == Roots(roots.root)
    assert read_manifest(tmp_path / "with.parquet") == records
    for plain in (roots.root, Roots(roots.root)):
        write_manifest(tmp_path / "again.parquet", records, plain)
        again = (tmp_path / "again.parquet").read_bytes()
        assert again == (tmp_path / "without.parquet").read_bytes()


def test_the_programs_read_images_where_they_lie(roots: Roots, tmp_path: Path) -> None:
    manifest, pixels, pictures = (tmp_path / name for name in ("m.parquet", "p.arrow", "t.parquet"))
    common = {"root": str(roots.root), "max_pixels": 10_000}
    elsewhere = {"val": str(roots.elsewhere["val"])}
    indexed = {**common, "elsewhere": elsewhere, "category": "cat", "folders": FOLDERS}
    geometry = {"resize": 64, "crop": None, "interpolation": "bilinear"}
    done = [
        run_program("index_images", "--spec", json.dumps(indexed), "--output", manifest),
        run_program(
            *("prepare_pixels", "--manifest", manifest, "--output", pixels),
            *("--spec", json.dumps({**common, "geometry": geometry})),
        ),
        run_program(
            *("thumbnails", "--images", manifest, "--root", roots.root, "--output", pictures),
            *("--spec", '{"side": 32, "limit": 9}'),
        ),
    ]
    assert [each.stderr for each in done if each.returncode] == []
    (batch,) = read_batches(pixels, 9)
    assert batch[0] == IMAGES
    assert (batch[1][0] != batch[1][1]).any()
    assert len(set(read_thumbnails(pictures, IMAGES).values())) == 2
