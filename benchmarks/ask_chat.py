"""Asking models that converse: an image's tokens computed once for all its questions, or anew.

    python benchmarks/ask_chat.py [--images 8] [--rounds 5] [--scale 10000]

First part: a LLaVA of random weights (what it costs does not depend on them), in which an image is
576 tokens, is asked 1, 3 and 8 questions about each image in three ways: as the workflow does it,
in batches that see the image anew for every question, and question by question. The ways take
turns; medians are printed. P(yes) must agree to 1e-5. Second part: ten thousand questions about two
thousand images with a small one; time, and peak memory after a tenth and at the end. Models and
images are made in a temporary folder.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
import torch
import transformers
from ask import BATCH, CPU, WORDS, draw, peak, rows

from synthsight.vqa.ask import ask
from synthsight.vqa.families.base import Published
from synthsight.vqa.families.chat import Chat

TEMPLATE = (
    "{% for part in messages[0].content %}"
    "{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}"
)


def tokenizer() -> Any:
    """A vocabulary of whole words, in which yes and no are two."""
    words = ["<pad>", "<s>", "</s>", "<unk>", "<image>", "yes", "no", "Answer", "or", ".", *WORDS]
    inner = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>")
    )
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        **{"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
        additional_special_tokens=["<image>"],
    )


def model(
    folder: Path,
    side: int,
    seeing: dict[str, int],
    reading: dict[str, int],
    device: torch.device = CPU,
) -> Chat:
    """A LLaVA with random weights, as it is asked."""
    text = tokenizer()
    vision = transformers.CLIPVisionConfig(image_size=side, patch_size=14, **seeing)
    torch.manual_seed(0)
    transformers.LlavaForConditionalGeneration(
        transformers.LlavaConfig(
            vision_config=vision,
            text_config=transformers.LlamaConfig(
                **reading, vocab_size=len(text), tie_word_embeddings=False
            ),
            image_token_index=text.convert_tokens_to_ids("<image>"),
        )
    ).save_pretrained(folder / "source")
    transformers.LlavaProcessor(
        transformers.CLIPImageProcessor(
            size={"shortest_edge": side}, crop_size={"height": side, "width": side}
        ),
        text,
        **{"patch_size": 14, "vision_feature_select_strategy": "default"},
        **{"num_additional_image_tokens": 1, "chat_template": TEMPLATE},
    ).save_pretrained(folder / "source")
    (folder / "kept").mkdir()
    found = Chat.collect(folder / "source", {"prompt": None}, Published(), folder / "kept")
    return Chat(folder / "kept", found.state, found.settings, device)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=int, default=10_000, help="questions of the second part")
    args = parser.parse_args()
    ways = {
        "images computed once": (True, BATCH),
        "anew for each question, in batches": (False, BATCH),
        "question by question": (True, 1),
    }
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        draw(root, max(args.images, args.scale // 5))
        wide = {"num_attention_heads": 8, "hidden_size": 512, "intermediate_size": 1536}
        large = model(
            root / "large",
            336,
            {**wide, "num_hidden_layers": 6, "hidden_size": 384, "intermediate_size": 1536},
            {**wide, "num_hidden_layers": 12, "max_position_embeddings": 1024},
        )
        weights = sum(parameter.numel() for parameter in large.model.parameters())
        print(f"{weights / 1e6:.0f} million weights, {args.images} images")
        for questions in (1, 3, 8):
            asked = rows(args.images, questions)
            seconds: dict[str, list[float]] = {way: [] for way in ways}
            found = {}
            for _ in range(args.rounds):
                for way, (shared, batch) in ways.items():
                    large.shared = shared
                    start = time.perf_counter()
                    found[way] = ask(large, asked, root, batch).p_yes
                    seconds[way].append(time.perf_counter() - start)
            first = next(iter(ways))
            for way in ways:
                ratios = [a / b for a, b in zip(seconds[way], seconds[first], strict=True)]
                difference = np.abs(found[way] - found[first]).max()
                print(
                    f"{questions} a picture, {way}: {statistics.median(seconds[way]):.1f} s, "
                    f"{statistics.median(ratios):.2f} x, P(yes) differs by {difference:.1e}"
                )
                assert difference < 1e-5
        narrow = {"num_attention_heads": 4, "hidden_size": 32, "intermediate_size": 64}
        small = model(
            root / "small",
            28,
            {**narrow, "num_hidden_layers": 3},
            {**narrow, "num_hidden_layers": 2, "max_position_embeddings": 256},
        )
        many = rows(args.scale // 5, 5)
        for part in (many[: len(many) // 10], many):
            start = time.perf_counter()
            ask(small, part, root, BATCH)
            taken = time.perf_counter() - start
            print(f"{len(part)} questions: {taken:.1f} s, peak memory {peak():.0f} MiB")


if __name__ == "__main__":
    main()
