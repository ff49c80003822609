"""Answers from the decoder: yes/no, one of a list, or free text (OFA, section 3.4).

With a list of answers, a trie determines which tokens may follow, and probabilities are
renormalised over these ("trie-based search"). There are three ways to get an answer:

- :func:`yes_no_logits`: two single-token answers, in one pass of the decoder.
- :func:`score_candidates`: the log-probability of every answer on a list.
- :func:`beam_search`: the best answers of a list without scoring all, or free text.

For two single tokens all three agree. Sources are token ids from
:func:`synthsight.vqa.ofa.processing.source`, candidates are token ids without ``</s>``. None of the
functions tracks gradients.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from synthsight.vqa.ofa.config import BOS, EOS, PAD, OFAError
from synthsight.vqa.ofa.decoder import Past
from synthsight.vqa.ofa.encoder import ImageFeatures
from synthsight.vqa.ofa.model import OFA
from synthsight.vqa.ofa.processing import decoder_prompt, pad

Tokens = tuple[int, ...]


class Trie:
    """The prefixes of some answers, and the tokens that may follow each.

    Args:
        answers: token ids without ``</s>``, none of them empty; duplicates count once.

    Raises:
        OFAError: there are no answers, or an empty one.
    """

    def __init__(self, answers: Iterable[Sequence[int]]) -> None:
        self._next: dict[Tokens, dict[int, None]] = {}
        for answer in answers:
            if not answer:
                raise OFAError("an empty answer cannot be scored")
            sequence = (*answer, EOS)
            for length in range(len(sequence)):
                self._next.setdefault(sequence[:length], {})[sequence[length]] = None
        if not self._next:
            raise OFAError("no answers to choose from")

    def allowed(self, prefix: Sequence[int]) -> list[int]:
        """Tokens that may follow a prefix; only ``</s>`` if no answer begins with it."""
        return list(self._next.get(tuple(prefix), (EOS,)))

    def forks(self) -> list[Tokens]:
        """Prefixes that more than one token may follow, shorter ones first."""
        return sorted((each for each, next_ in self._next.items() if len(next_) > 1), key=len)


@dataclass(frozen=True)
class Answer:
    """An answer with its score.

    Attributes:
        tokens: its tokens, without ``</s>``.
        score: its log-probability, ``</s>`` included, under the rules of the search.
    """

    tokens: Tokens
    score: float


@torch.no_grad()
def yes_no_logits(
    model: OFA,
    features: ImageFeatures,
    images: Sequence[int],
    sources: Sequence[Sequence[int]],
    yes: int,
    no: int,
    prompt_type: str,
) -> Tensor:
    """The logit of "yes" minus that of "no", for a batch of questions.

    Its sigmoid is the probability of "yes" when these are the only answers: after a single token
    only the end may follow, with probability 1. Takes one pass of the encoder and one of the
    decoder. Questions of equal length need less memory than a mixture.

    Args:
        model: the model, in evaluation mode.
        features: from :meth:`synthsight.vqa.ofa.model.OFA.embed_images`.
        images: index of the image that each question is about.
        sources: token ids of the questions.
        yes: the token for "yes", from :meth:`synthsight.vqa.ofa.tokenizer.OFATokenizer.single`.
        no: likewise for "no".
        prompt_type: the type that the checkpoint was trained with, see
            :func:`synthsight.vqa.ofa.processing.decoder_prompt`.

    Returns:
        float (questions,), on the model's device.
    """
    hidden, _, _ = _prompt(model, features, images, sources, prompt_type)
    logits = model.logits(hidden, torch.tensor([yes, no], device=model.device))
    return logits[:, 0] - logits[:, 1]


@torch.no_grad()
def score_candidates(
    model: OFA,
    features: ImageFeatures,
    images: Sequence[int],
    sources: Sequence[Sequence[int]],
    candidates: Sequence[Sequence[int]],
    prompt_type: str,
    chunk: int = 64,
) -> Tensor:
    """The log-probability of every answer on a list ("all-candidate" evaluation).

    At each step, probabilities are normalised over the tokens that the trie allows. Only prefixes
    followed by a choice have to be decoded; the prompt is decoded once.

    Args:
        model: the model, in evaluation mode.
        features: features of some images.
        images: index of the image that each question is about.
        sources: token ids of the questions.
        candidates: token ids of the answers.
        prompt_type: as in :func:`yes_no_logits`.
        chunk: number of prefixes decoded at a time.

    Returns:
        float (questions, candidates), on the CPU. A row's exponentials add up to 1 if no candidate
        occurs twice.
    """
    trie = Trie(candidates)
    forks = trie.forks()
    # Decoding a prefix also decodes all of its own prefixes, so the longest ones are enough.
    begun = {fork[:length] for fork in forks for length in range(len(fork))}
    paths = [fork for fork in forks if fork and fork not in begun]
    hidden, past, lengths = _prompt(model, features, images, sources, prompt_type)
    rows = []
    for row, length in enumerate(lengths):
        states: dict[Tokens, Tensor] = {(): hidden[row]}
        for start in range(0, len(paths), chunk):
            part = paths[start : start + chunk]
            index = torch.zeros(len(part), dtype=torch.int64, device=model.device)
            decoded, _ = model.decoder(pad(part, model.device), past.row(row, length).branch(index))
            for path, values in zip(part, decoded, strict=True):
                states.update({path[: n + 1]: values[n] for n in range(len(path))})
        steps: dict[Tokens, dict[int, float]] = {}
        for fork in forks:
            allowed = trie.allowed(fork)
            tokens = torch.tensor(allowed, device=model.device)
            values = model.logits(states[fork], tokens).log_softmax(-1).tolist()
            steps[fork] = dict(zip(allowed, values, strict=True))
        rows.append([_sum_steps((*each, EOS), steps) for each in candidates])
    return torch.tensor(rows, dtype=hidden.dtype)


def _sum_steps(sequence: Tokens, steps: dict[Tokens, dict[int, float]]) -> float:
    """Log-probability of a sequence; a token without alternatives adds nothing."""
    places = [number for number in range(len(sequence)) if sequence[:number] in steps]
    return sum(steps[sequence[:number]][sequence[number]] for number in places)


@torch.no_grad()
def beam_search(
    model: OFA,
    features: ImageFeatures,
    images: Sequence[int],
    sources: Sequence[Sequence[int]],
    prompt_type: str,
    candidates: Sequence[Sequence[int]] | None = None,
    beam: int = 5,
    max_length: int = 16,
) -> list[list[Answer]]:
    """The best answers by beam search, without normalising scores by length.

    As in the published evaluation, a question is done once ``beam`` answers have ended, even if a
    longer one could still score higher, and an ending counts only if it is among the ``beam`` best
    continuations of its step.

    Args:
        model: the model, in evaluation mode.
        features: features of some images.
        images: index of the image that each question is about.
        sources: token ids of the questions.
        prompt_type: as in :func:`yes_no_logits`.
        candidates: token ids of the answers to choose from, over which probabilities are
            renormalised; None for free text.
        beam: number of hypotheses kept.
        max_length: maximum number of tokens of an answer, if there is no list.

    Returns:
        For each question, at most ``beam`` answers, best first.
    """
    trie = None if candidates is None else Trie(candidates)
    hidden, past, lengths = _prompt(model, features, images, sources, prompt_type)
    return [
        _beam(model, hidden[row], past.row(row, length), trie, beam, max_length)
        for row, length in enumerate(lengths)
    ]


def _beam(
    model: OFA, hidden: Tensor, past: Past, trie: Trie | None, beam: int, max_length: int
) -> list[Answer]:
    """Beam search for one question, from the hidden state (d_model,) at the end of its prompt."""
    live, states = [Answer((), 0.0)], hidden[None]
    done: list[Answer] = []
    while live:
        options = _continuations(model, states, [each.tokens for each in live], trie, 2 * beam)
        # Twice as many as hypotheses, so that enough continue even if all others end.
        ranked = sorted(
            (
                (live[parent].score + value, parent, token)
                for parent, follows in enumerate(options)
                for token, value in follows
                if trie is not None or len(live[parent].tokens) < max_length or token == EOS
            ),
            key=lambda option: -option[0],
        )[: 2 * beam]
        done += [Answer(live[p].tokens, score) for score, p, token in ranked[:beam] if token == EOS]
        going = [option for option in ranked if option[2] != EOS][:beam]
        if len(done) >= beam or not going:
            break
        parents = torch.tensor([parent for _, parent, _ in going], device=model.device)
        tokens = torch.tensor([[token] for _, _, token in going], device=model.device)
        live = [Answer((*live[parent].tokens, token), score) for score, parent, token in going]
        decoded, past = model.decoder(tokens, past.branch(parents))
        states = decoded[:, -1]
    return sorted(done, key=lambda answer: -answer.score)[:beam]


def _continuations(
    model: OFA, states: Tensor, prefixes: Sequence[Tokens], trie: Trie | None, keep: int
) -> list[list[tuple[int, float]]]:
    """The likeliest tokens after each prefix, with their log-probabilities."""
    if trie is None:
        values = model.logits(states).log_softmax(-1)
        values[:, [PAD, BOS]] = -torch.inf
        if not prefixes[0]:  # an answer has at least one token
            values[:, EOS] = -torch.inf
        best = values.topk(min(keep, values.shape[-1] - 3), dim=-1)
        ends = values[:, EOS].tolist()
        rows = [
            dict(zip(tokens, scores, strict=True))
            for tokens, scores in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]
        if prefixes[0]:  # always included, for the step at which an answer has to end
            for row, value in zip(rows, ends, strict=True):
                row[EOS] = value
        return [list(row.items()) for row in rows]
    result = []
    for state, prefix in zip(states, prefixes, strict=True):
        allowed = torch.tensor(trie.allowed(prefix), device=model.device)
        values = model.logits(state, allowed).log_softmax(-1)
        best = values.topk(min(keep, len(allowed)))
        tokens = allowed[best.indices].tolist()
        result.append(list(zip(tokens, best.values.tolist(), strict=True)))
    return result


def _prompt(
    model: OFA,
    features: ImageFeatures,
    images: Sequence[int],
    sources: Sequence[Sequence[int]],
    prompt_type: str,
) -> tuple[Tensor, Past, list[int]]:
    """Encode questions and decode their prompts.

    Returns:
        The hidden state (questions, d_model) at each prompt's last token, the decoder's state, and
        the lengths of the prompts.
    """
    if len(images) != len(sources):
        raise OFAError(f"{len(sources)} questions about {len(images)} images")
    prompts = [decoder_prompt(each, prompt_type) for each in sources]
    encoded = model.encode(pad(sources, model.device), features, torch.tensor(images))
    hidden, past = model.decoder(pad(prompts, model.device), model.decoder.start(encoded))
    lengths = [len(prompt) for prompt in prompts]
    last = torch.tensor(lengths, device=model.device) - 1
    return hidden[torch.arange(len(lengths), device=model.device), last], past, lengths
