"""transformers' Auto classes read and write OFA."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from synthsight.vqa.ofa.checkpoint import load_checkpoint
from synthsight.vqa.ofa.config import OFAError
from synthsight.vqa.ofa.model import EMBEDDING_COPIES, OFA
from tests.support import assert_close
from tests.vqa.ofa.test_checkpoint import published
from tests.vqa.ofa.test_model import SMALL, images, small_model

transformers = pytest.importorskip("transformers")


def write_folder(folder: Path, model: OFA, **changes: object) -> None:
    state = {n: v for n, v in model.state_dict().items() if n not in EMBEDDING_COPIES}
    save_file(published(state), folder / "model.safetensors")
    content = SMALL.as_dict() | {"architectures": ["OFAModel"], "torch_dtype": "float32"} | changes
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.long
def test_a_hub_folder_is_read_by_the_auto_class_and_written_again(tmp_path: Path) -> None:
    from synthsight.vqa.ofa import auto

    model = small_model()
    write_folder(tmp_path, model)
    read = transformers.AutoModelForVisualQuestionAnswering.from_pretrained(tmp_path)
    assert isinstance(read, auto.OFAForVisualQuestionAnswering)
    inputs = (images(1), torch.tensor([[0, 7, 2]]), torch.tensor([[0, 9]]))
    with torch.inference_mode():
        assert_close(read(*inputs), model(*inputs))
    assert read.ofa.decoder.output_projection.weight is read.encoder.embed_tokens.weight
    read.save_pretrained(tmp_path / "again")
    config, state = load_checkpoint(tmp_path / "again")
    assert config == SMALL
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in state.items())


def test_the_auto_class_refuses_what_is_not_implemented(tmp_path: Path) -> None:
    import synthsight.vqa.ofa.auto  # noqa: F401

    write_folder(tmp_path, small_model(), normformer=False)
    with pytest.raises(OFAError, match="`normformer` is False"):
        transformers.AutoModelForVisualQuestionAnswering.from_pretrained(tmp_path)


@pytest.mark.long
def test_transformers_is_not_needed_otherwise() -> None:
    import subprocess
    import sys

    code = (
        "import sys\n"
        "from synthsight.vqa.ofa import answers, checkpoint, processing\n"
        "assert 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
