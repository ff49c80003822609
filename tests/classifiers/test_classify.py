"""Logits belong to their image, whatever the batch size, the shapes and the memory at hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from synthsight.classifiers.classify import NonFiniteError, classify, write_logits
from synthsight.classifiers.library import Architecture
from synthsight.files import sha256_of
from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels
from synthsight.inference import batches as inference
from synthsight.inference.batches import PRECISIONS, report_speed, set_precision
from synthsight.inference.cache import ModelCache, file_identity
from synthsight.inference.normalise import normalise
from tests.support import REPOSITORY, assert_close, draw_image, run_program, save_random_weights

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
CLASSES = 6


class Tiny(nn.Module):
    """A classifier of images of any size, which notes the batches it gets."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(4, CLASSES)
        self.batches: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.batches.append(len(images))
        return self.head(self.conv(images).relu().mean(dim=(2, 3)))


class Crowded(Tiny):
    """One that runs out of memory above a number of images."""

    def __init__(self, limit: int, error: Exception) -> None:
        super().__init__()
        self.limit = limit
        self.error = error

    def forward(self, images: Tensor) -> Tensor:
        logits = super().forward(images)
        assert len(self.batches) < 50, "the batches have no end"
        if len(images) > self.limit:
            raise self.error
        return logits


class Spoilt(Tiny):
    """One that answers with a value that is no number, for images that are all black."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, images: Tensor) -> Tensor:
        logits = super().forward(images)
        black = (images[:, 0] < (0.001 - MEAN[0]) / STD[0]).all(dim=(1, 2))
        logits[black, 2] = self.value
        return logits


def prepare(folder: Path, shapes: list[tuple[int, int]], black: tuple[int, ...] = ()) -> Path:
    """An Arrow file of random images; their names fall while their sizes grow."""
    manifest = []
    for number, (width, height) in enumerate(shapes):
        rng = np.random.default_rng(number)
        image = rng.integers(1, 256, (height, width, 3), dtype=np.uint8)
        if number in black:
            image[:] = 0
        name = f"{len(shapes) - number:03d}.png"
        Image.fromarray(image).save(folder / name)
        manifest.append((name, width, height))
    prepare_pixels(manifest, folder, Geometry(8, None, "nearest"), folder / "pixels.arrow")
    return folder / "pixels.arrow"


def expected(model: nn.Module, folder: Path, image: str) -> np.ndarray:
    """The logits of one image, by hand."""
    pixels = np.asarray(Image.open(folder / image)).astype(np.float32) / 255
    tensor = torch.from_numpy((pixels - np.float32(MEAN)) / np.float32(STD))
    with torch.inference_mode():
        return model(tensor.permute(2, 0, 1)[None])[0].numpy()


def test_normalisation_is_the_formula_channel_by_channel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    found = normalise(torch.from_numpy(pixels.copy()), MEAN, STD)
    wanted = (pixels.astype(np.float64) / 255 - MEAN) / STD
    assert found.dtype == torch.float32
    assert_close(found, wanted.transpose(0, 3, 1, 2), share=1e-6)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 7, 64])
def test_every_image_has_its_own_logits_whatever_the_batch_size(
    tmp_path: Path, batch_size: int
) -> None:
    model = Tiny().eval()
    pixels = prepare(tmp_path, [(8, 8)] * 12)
    images, logits = classify(model, pixels, MEAN, STD, batch_size)
    assert max(model.batches) == min(batch_size, 12)
    assert sum(model.batches) == 12
    assert images == [f"{number:03d}.png" for number in range(1, 13)]
    assert logits.shape == (12, CLASSES) and logits.dtype == np.float32
    for image, row in zip(images, logits, strict=True):
        assert_close(row, expected(model, tmp_path, image))


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_rows_are_sorted_by_image_also_where_shapes_are_mixed(
    tmp_path: Path, batch_size: int
) -> None:
    model = Tiny().eval()
    shapes = [(8, 8), (8, 12), (8, 8), (12, 8), (8, 16), (8, 12), (8, 8)]
    pixels = prepare(tmp_path, shapes)
    images, logits = classify(model, pixels, MEAN, STD, batch_size)
    assert images == [f"{number:03d}.png" for number in range(1, 8)]
    for image, row in zip(images, logits, strict=True):
        assert_close(row, expected(model, tmp_path, image))


def test_logits_keep_to_their_image_where_a_file_has_them_in_another_order(tmp_path: Path) -> None:
    model = Tiny().eval()
    with pa.memory_map(str(prepare(tmp_path, [(8, 8)] * 7))) as source:
        rows = pa.ipc.open_file(source).read_all()
    rows = rows.take([3, 0, 6, 2, 5, 1, 4]).combine_chunks()
    with pa.ipc.new_file(str(tmp_path / "other.arrow"), rows.schema) as writer:
        writer.write_table(rows)
    images, logits = classify(model, tmp_path / "other.arrow", MEAN, STD, 3)
    assert images == sorted(images) and len(images) == 7
    for image, row in zip(images, logits, strict=True):
        assert np.allclose(row, expected(model, tmp_path, image), atol=1e-5)


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    MemoryError(),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to ..."),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    RuntimeError("could not create a primitive"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN Frontend error: Unable to ... GET was unable to find an engine to execute"),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY)
def test_out_of_memory_halves_the_batch_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    pixels = prepare(tmp_path, [(8, 8)] * 21)
    model = Crowded(3, error).eval()
    images, logits = classify(model, pixels, MEAN, STD, 16)
    # 16 and 8 and 4 fail; what follows, the next batch of the file too, keeps the 2.
    assert model.batches == [16, 8, 4] + [2] * 8 + [2, 2, 1]
    assert capsys.readouterr().err.splitlines()[-1] == "out of memory: continuing with batches of 2"
    plain = classify(Tiny().eval(), pixels, MEAN, STD, 64)
    assert images == plain[0]
    assert_close(logits, plain[1])


@pytest.mark.parametrize("error", OUT_OF_MEMORY)
def test_an_image_that_does_not_fit_alone_is_an_error(tmp_path: Path, error: Exception) -> None:
    pixels = prepare(tmp_path, [(8, 8)] * 3)
    model = Crowded(0, error).eval()
    with pytest.raises(type(error)):
        classify(model, pixels, MEAN, STD, 4)
    assert model.batches[-1] == 1


def test_memory_may_run_out_on_the_way_to_the_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to, tried = Tensor.to, []

    def crowded(tensor: Tensor, *arguments: object, **options: object) -> Tensor:
        if tensor.dtype == torch.uint8 and arguments and isinstance(arguments[0], torch.device):
            tried.append(len(tensor))
            if len(tensor) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
        return to(tensor, *arguments, **options)

    pixels = prepare(tmp_path, [(8, 8)] * 5)
    monkeypatch.setattr(Tensor, "to", crowded)
    images, _ = classify(Tiny().eval(), pixels, MEAN, STD, 4)
    assert tried == [4, 2, 2, 1]
    assert len(images) == 5


def test_what_can_be_spared_goes_before_the_batch_is_halved(tmp_path: Path) -> None:
    pixels = prepare(tmp_path, [(8, 8)] * 9)
    model = Crowded(4, MemoryError()).eval()
    spare = [1, 2]

    def release() -> bool:
        if spare:
            spare.pop()
            model.limit += 2
            return True
        return False

    images, _ = classify(model, pixels, MEAN, STD, 8, release=release)
    assert model.batches == [8, 8, 8, 1], "after two releases eight images fit"
    assert len(images) == 9


def test_the_precision_is_that_of_the_products(tmp_path: Path) -> None:
    pixels = prepare(tmp_path, [(8, 8)] * 5)
    logits = {
        precision: classify(Tiny().eval(), pixels, MEAN, STD, 5, precision)[1]
        for precision in PRECISIONS
    }
    assert np.array_equal(logits["tf32"], logits["fp32"]), "on a CPU there is no TensorFloat-32"
    difference = np.abs(logits["bf16"] - logits["fp32"]).max()
    assert 1e-6 < difference < 0.05


@pytest.mark.parametrize(("precision", "allowed"), [("fp32", False), ("tf32", True)])
def test_float32_is_not_shortened_unless_asked_for(precision: str, allowed: bool) -> None:
    """torch's own default is TensorFloat-32 in convolutions."""
    with set_precision(precision, torch.device("cpu")):
        assert torch.backends.cudnn.allow_tf32 is allowed
        assert torch.backends.cuda.matmul.allow_tf32 is allowed


# Loaded models -----------------------------------------------------------------------------------

CPU = torch.device("cpu")


def megabytes(count: int) -> nn.Module:
    return nn.Linear(count * 250_000 - 1, 1)


def test_the_model_used_least_recently_goes_when_memory_is_full() -> None:
    models = ModelCache(bound=5_000_000)
    loads: list[str] = []

    def get(name: str, size: int) -> nn.Module:
        def load() -> nn.Module:
            loads.append(name)
            return megabytes(size)

        return models.get(name, load, CPU)

    first = get("a", 2)
    get("b", 2)
    assert get("a", 2) is first
    get("c", 2)  # b goes
    assert get("a", 2) is first
    get("b", 2)
    assert loads == ["a", "b", "c", "b"]
    huge = get("d", 9)
    assert len(models) == 1 and get("d", 9) is huge, "the one in use stays, whatever its size"


def test_models_are_let_go_but_for_one() -> None:
    models = ModelCache()
    kept = models.get("a", lambda: megabytes(1), CPU)
    assert not models.release(keep=kept)
    models.get("b", lambda: megabytes(1), CPU)
    assert models.release(keep=kept)
    assert models.get("a", lambda: megabytes(1), CPU) is kept


def test_a_model_that_does_not_fit_beside_others_takes_their_place() -> None:
    models = ModelCache()
    models.get("a", lambda: megabytes(1), CPU)

    def load() -> nn.Module:
        if len(models):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return megabytes(2)

    assert models.get("b", load, CPU)
    assert len(models) == 1


def test_another_file_of_the_same_name_is_another_model(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"12")
    before = file_identity(path)
    assert file_identity(path) == before
    (tmp_path / "new").write_bytes(b"34")
    (tmp_path / "new").replace(path)
    assert file_identity(path) != before


@pytest.mark.parametrize(("content", "later"), [(b"123", 0), (b"34", 1)])
def test_a_file_that_was_overwritten_in_place_is_another_model(
    tmp_path: Path, content: bytes, later: int
) -> None:
    """The name and the inode stay: another size tells, or another time."""
    path = tmp_path / "weights"
    path.write_bytes(b"12")
    before, status = file_identity(path), path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + later))
    assert path.stat().st_ino == status.st_ino
    assert file_identity(path) != before


@pytest.mark.parametrize(("share", "kept"), [(1.0, 4), (0.5, 2)])
def test_processes_that_share_a_memory_keep_their_share_of_it(
    monkeypatch: pytest.MonkeyPatch, share: float, kept: int
) -> None:
    memory = {"SC_PAGE_SIZE": 1_000, "SC_PHYS_PAGES": 16_000}  # of which a quarter may be filled
    monkeypatch.setattr(os, "sysconf", memory.__getitem__)
    models = ModelCache(share)
    for name in range(6):
        models.get(name, lambda: megabytes(1), CPU)
    assert len(models) == kept


#: Runs the real program with a bound on the memory that it may have beyond its imports.
BOUNDED = """
import os, resource, sys
import timm, torch
sys.path.insert(0, os.path.dirname(sys.argv[1]))
import classify
timm.create_model("test_resnet")(torch.rand(1, 3, 64, 64))
pages = int(open("/proc/self/statm").read().split()[0])
bound = pages * os.sysconf("SC_PAGE_SIZE") + int(sys.argv[2]) * 2**20
resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
sys.argv = sys.argv[1:2] + sys.argv[3:]
classify.main()
"""


@pytest.mark.long
def test_a_program_with_little_memory_completes_in_smaller_batches(tmp_path: Path) -> None:
    for seed in range(24):
        draw_image(tmp_path / f"{seed:02}.png", seed, (384, 384))
    images = [(f"{seed:02}.png", 384, 384) for seed in range(24)]
    geometry = Geometry(384, (384, 384), "bilinear")
    prepare_pixels(images, tmp_path, geometry, tmp_path / "pixels.arrow")
    save_random_weights(tmp_path / "m.safetensors", "test_resnet", CLASSES, seed=0)
    about = {
        "name": "m",
        "architecture": Architecture("timm", "test_resnet", num_classes=CLASSES).as_dict(),
    }
    digest = sha256_of(tmp_path / "m.safetensors")
    note = {**about, "sha256": "0", "safetensors_sha256": digest, "source": "a test"}
    (tmp_path / "m.json").write_text(json.dumps(note))
    spec = {
        "model": "m",
        "architecture": about["architecture"],
        **{"geometry": geometry.as_dict(), "mean": MEAN, "std": STD, "preprocess": "model"},
        **{"label_space": "labels.txt", "precision": "fp32", "compile": False},
    }
    arguments: tuple[str | Path, ...] = (
        *("--pixels", tmp_path / "pixels.arrow", "--weights", tmp_path / "m.safetensors"),
        *("--note", tmp_path / "m.json", "--spec", json.dumps(spec), "--batch-size", "24"),
    )
    completed = subprocess.run(
        [
            *(sys.executable, "-c", BOUNDED, REPOSITORY / "workflow/scripts/classify.py", "200"),
            *(*arguments, "--output", tmp_path / "bounded.parquet"),
        ],
        # Arenas that are merely reserved would count, too.
        env={**os.environ, "MALLOC_ARENA_MAX": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"},
        capture_output=True,
        text=True,
    )
    assert completed.returncode == 0, completed.stderr
    assert "out of memory: continuing with batches of 12" in completed.stderr
    unbounded = run_program("classify", *arguments, "--output", tmp_path / "unbounded.parquet")
    assert unbounded.returncode == 0 and "out of memory" not in unbounded.stderr
    found, expected = (pq.read_table(tmp_path / f"{n}.parquet") for n in ("bounded", "unbounded"))
    assert found["image"].to_pylist() == [image for image, _, _ in images]
    assert found["image"] == expected["image"]
    assert_close(found["logits"].to_pylist(), expected["logits"].to_pylist())


def test_another_error_is_not_taken_for_a_lack_of_memory(tmp_path: Path) -> None:
    pixels = prepare(tmp_path, [(8, 8)] * 4)
    model = Crowded(0, RuntimeError("mat1 and mat2 shapes cannot be multiplied")).eval()
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        classify(model, pixels, MEAN, STD, 4)
    assert model.batches == [4]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_logits_that_are_no_numbers_are_an_error_that_names_the_image(
    tmp_path: Path, value: float
) -> None:
    pixels = prepare(tmp_path, [(8, 8)] * 9, black=(2, 5))
    with pytest.raises(NonFiniteError) as caught:
        classify(Spoilt(value).eval(), pixels, MEAN, STD, 4)
    # The images are numbered backwards: 9 - 5 = 4 and 9 - 2 = 7.
    assert "2 of 9 images, the first being '004.png'" in str(caught.value)


def test_logits_of_half_precision_are_stored_as_float32(tmp_path: Path) -> None:
    class Half(Tiny):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images).to(torch.bfloat16)

    _, logits = classify(Half().eval(), prepare(tmp_path, [(8, 8)] * 3), MEAN, STD, 2)
    assert logits.dtype == np.float32


def test_no_gradients_are_kept(tmp_path: Path) -> None:
    class Watch(Tiny):
        def forward(self, images: Tensor) -> Tensor:
            logits = super().forward(images)
            assert not logits.requires_grad and torch.is_inference_mode_enabled()
            return logits

    classify(Watch().eval(), prepare(tmp_path, [(8, 8)]), MEAN, STD, 2)


def test_the_parquet_file_has_the_columns_of_the_contract(tmp_path: Path) -> None:
    logits = np.arange(6, dtype=np.float32).reshape(2, 3) / 7
    metadata = {"model": "tiny", "weights_sha256": "00", "geometry": {"resize": 8}}
    write_logits(tmp_path / "out" / "logits.parquet", ["a.png", "b.png"], logits, metadata)
    table = pq.read_table(tmp_path / "out" / "logits.parquet")
    assert table.schema.field("image").type == pa.string()
    logits_type = table.schema.field("logits").type
    assert pa.types.is_fixed_size_list(logits_type)
    assert (logits_type.value_type, logits_type.list_size) == (pa.float32(), 3)
    assert json.loads(table.schema.metadata[b"synthsight"]) == metadata
    assert table["image"].to_pylist() == ["a.png", "b.png"]
    assert np.array_equal(np.stack(table["logits"].to_numpy()), logits)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["logits.parquet"]


def test_the_log_tells_the_speed_and_the_peak_of_memory() -> None:
    line = report_speed(50, "images", 2.0, torch.device("cpu"))
    assert line.startswith("50 images in 2.00 s (25.0 images/s) on cpu; peak memory ")
    assert line.endswith(" MiB")
    assert "images/s" in report_speed(0, "images", 0.0, torch.device("cpu"))


def test_the_device_is_cuda_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for available, device in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=available: there)
        assert inference.choose_device().type == device


def test_logits_are_stored_split_by_byte_in_parts_that_a_reader_can_hold(tmp_path: Path) -> None:
    logits = np.random.default_rng(0).standard_normal((9000, 8)).astype(np.float32)
    path = tmp_path / "logits.parquet"
    write_logits(path, [f"{number:05}.png" for number in range(9000)], logits, {})
    about = pq.ParquetFile(path).metadata
    assert [about.row_group(k).num_rows for k in range(about.num_row_groups)] == [8192, 808]
    column = about.row_group(0).column(1)
    assert "BYTE_STREAM_SPLIT" in column.encodings
    assert column.compression == "ZSTD"
    stored = pq.read_table(path)["logits"].combine_chunks().flatten().to_numpy()
    assert (stored.reshape(-1, 8) == logits).all()
