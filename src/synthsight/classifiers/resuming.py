"""How far a training has come, kept beside what it makes until that is complete.

A training that is killed goes on from its last finished epoch. Snakemake deletes the outputs of a
job that failed, so this is none: a hidden file, called by a digest of all that decides the
training. What another training has left is never read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from synthsight.canonical import canonical_json
from synthsight.files import atomic

#: What of the optimiser's state there is for each parameter.
_STATE = ("exp_avg", "exp_avg_sq", "step")


def digest_of(decides: object) -> str:
    """A digest of all that decides a training: what JSON can hold."""
    return hashlib.sha256(canonical_json(decides).encode()).hexdigest()[:24]


class Progress:
    """The file in which a training keeps how far it has come.

    Args:
        output: what the training makes.
        digest: from :func:`digest_of`.
    """

    def __init__(self, output: Path, digest: str) -> None:
        self._prefix = f".training-{output.stem}-"
        self.path = output.with_name(f"{self._prefix}{digest}.safetensors")

    def save(
        self, network: nn.Module, optimizer: torch.optim.Optimizer, epochs: int, losses: list[float]
    ) -> None:
        """Keep the state after some epochs; what can be recomputed from the base is not in it."""
        tensors: dict[str, Tensor] = dict(_tensors_of(network))
        for name, parameter in network.named_parameters():
            for key, value in optimizer.state.get(parameter, {}).items():
                tensors[f"{key}|{name}"] = value
        stored = {
            name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()
        }
        about = {"epochs": str(epochs), "losses": json.dumps(losses)}
        with atomic(self.path) as temporary:
            save_file(stored, temporary, about)

    def load(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, list[float]]:
        """Take up what was kept: the number of finished epochs, and their losses; 0 if nothing."""
        try:
            with safe_open(self.path, "pt") as file:
                about: Mapping[str, str] = file.metadata() or {}
            tensors = load_file(self.path)
            epochs, losses = int(about["epochs"]), json.loads(about["losses"])
        except (OSError, SafetensorError, KeyError, ValueError):
            return 0, []
        with torch.no_grad():
            for name, value in _tensors_of(network):
                value.copy_(tensors[name])
            for name, parameter in network.named_parameters():
                if f"step|{name}" not in tensors:
                    continue
                state = {key: tensors[f"{key}|{name}"] for key in _STATE}
                optimizer.state[parameter] = {
                    # The layout in memory decides the order of sums.
                    key: value if key == "step" else torch.empty_like(parameter).copy_(value)
                    for key, value in state.items()
                }
        return epochs, losses

    def sweep(self, own: bool = False) -> None:
        """Remove what other trainings of this part have left and, in the end, one's own."""
        if not self.path.parent.is_dir():
            return
        for path in self.path.parent.iterdir():
            if path.name.startswith(self._prefix) and (own or path != self.path):
                with suppress(OSError):
                    path.unlink()


def _tensors_of(network: nn.Module) -> list[tuple[str, Tensor]]:
    """All parameters and what new layers keep besides, by name."""
    buffers = ((f"{name}|buffer", each) for name, each in network.named_buffers())
    return [*network.named_parameters(), *buffers]
