"""Text to token ids and back: byte-level BPE in BART's numbering (OFA, section 3.1).

A text starts with a space, so that its first word gets the same token as within a sentence.
Anything in a text that looks like a special token (``<mask>``, ``</s>``) is text: special tokens
can only be inserted as ids.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import tokenizers
from tokenizers import decoders, models, pre_tokenizers

from synthsight.vqa.ofa.config import BOS, EOS, PAD, OFAConfig, OFAError

#: Ids that every vocabulary begins with.
SPECIAL = {"<s>": BOS, "<pad>": PAD, "</s>": EOS, "<unk>": 3}

#: The last text token of the published files (fairseq's and the hub's).
_MASK = "<mask>"


class OFATokenizer:
    """A vocabulary with its merges.

    Args:
        vocab: ids of the tokens, in GPT-2's encoding of bytes; the special ones as in
            :data:`SPECIAL`.
        merges: pairs of tokens, in order of priority.

    Raises:
        OFAError: special tokens have other ids, or a merge yields no token of the vocabulary.
    """

    def __init__(self, vocab: dict[str, int], merges: list[tuple[str, str]]) -> None:
        for token, number in SPECIAL.items():
            if vocab.get(token) != number:
                raise OFAError(
                    f"the vocabulary has {vocab.get(token)} as the id of {token}; OFA has {number}"
                )
        try:
            bpe = models.BPE(vocab, merges, unk_token="<unk>")
        except Exception as error:  # the library has no type of its own for it
            raise OFAError(f"vocabulary and merges do not fit together: {error}") from error
        self._tokenizer = tokenizers.Tokenizer(bpe)
        self._tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        self._tokenizer.decoder = decoders.ByteLevel()
        self._hidden = {*SPECIAL.values(), vocab.get(_MASK, 0)}
        self._bound = max(vocab.values()) + 1

    @classmethod
    def from_folder(cls, folder: str | os.PathLike[str]) -> OFATokenizer:
        """Read ``vocab.json`` and ``merges.txt``, or fairseq's three files instead.

        Fairseq has ``encoder.json`` (tokens with GPT-2's ids), ``vocab.bpe`` (the merges) and
        ``dict.txt`` (GPT-2's ids in the model's order).

        Raises:
            OFAError: files are missing or damaged.
        """
        folder = Path(folder)
        try:
            if (folder / "vocab.json").is_file():
                vocab = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
                merges = _read_merges(folder / "merges.txt")
            elif (folder / "dict.txt").is_file():
                vocab = _fairseq_vocabulary(folder)
                merges = _read_merges(folder / "vocab.bpe")
            else:
                raise OFAError(
                    f"{folder} has no vocabulary: put vocab.json and merges.txt there (or "
                    "fairseq's dict.txt, encoder.json and vocab.bpe)"
                )
        except (OSError, ValueError) as error:
            if isinstance(error, OFAError):
                raise
            raise OFAError(f"the vocabulary in {folder} cannot be read: {error}") from error
        try:
            return cls(vocab, merges)
        except OFAError as error:
            raise OFAError(f"{folder}: {error}") from error

    def __len__(self) -> int:
        return self._bound

    def encode(self, text: str) -> list[int]:
        """The ids of a text, with none added. Bytes that the vocabulary lacks become ``<unk>``."""
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids; special tokens and ids that are not text are left out."""
        text = [number for number in ids if number not in self._hidden]
        return self._tokenizer.decode(text, skip_special_tokens=False)

    def check(self, config: OFAConfig) -> None:
        """Make sure that a model has an embedding for every token.

        Raises:
            OFAError: the vocabulary is larger than the model's.
        """
        if len(self) > config.vocab_size:
            raise OFAError(
                f"the vocabulary has {len(self)} tokens, the model {config.vocab_size}: they do "
                "not belong together"
            )

    def single(self, text: str) -> int:
        """The id of a text that is a single token, as `` yes`` must be.

        Raises:
            OFAError: it is several tokens, or unknown.
        """
        ids = self.encode(text)
        if len(ids) != 1 or ids[0] in self._hidden:
            raise OFAError(
                f"{text!r} is not a single token of this vocabulary (ids {ids}), so it cannot be "
                "scored in one step; score it as a candidate instead"
            )
        return ids[0]


def _read_merges(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text(encoding="utf-8").split("\n")
    pairs = [line.split(" ") for line in lines if line and not line.startswith("#version")]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"{path.name} must have two tokens per line")
    return [(first, second) for first, second in pairs]


def _fairseq_vocabulary(folder: Path) -> dict[str, int]:
    """Ids in the order of ``dict.txt``, some of whose lines only pad it to a round number."""
    encoder = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
    tokens = {str(number): token for token, number in encoder.items()}
    vocab = dict(SPECIAL)
    for line in (folder / "dict.txt").read_text(encoding="utf-8").splitlines():
        name = line.rpartition(" ")[0]
        vocab[tokens.get(name, name)] = len(vocab)
    vocab[_MASK] = len(vocab)
    return vocab
