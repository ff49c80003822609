"""Three ways to an answer agree with each other and with a plain computation."""

from __future__ import annotations

import pytest
import torch

from synthsight.vqa.ofa.answers import Trie, beam_search, score_candidates, yes_no_logits
from synthsight.vqa.ofa.config import PROMPT_TYPES, OFAError
from synthsight.vqa.ofa.encoder import ImageFeatures
from synthsight.vqa.ofa.model import OFA
from synthsight.vqa.ofa.processing import decoder_prompt
from tests.support import assert_close
from tests.vqa.ofa.test_model import images, small_model

#: Questions of several lengths on two images.
SOURCES = [[0, 7, 8, 9, 10, 2], [0, 11, 2], [0, 7, 12, 13, 2]]
IMAGES = [1, 0, 1]

#: Answers with shared beginnings, one the beginning of another.
CANDIDATES = [[20], [21], [30, 31], [30, 32], [30], [30, 31, 33], [40, 41, 42], [20, 22]]


@pytest.fixture(scope="module")
def model() -> OFA:
    return small_model(seed=1)


@pytest.fixture(scope="module")
def features(model: OFA) -> ImageFeatures:
    torch.manual_seed(2)
    with torch.no_grad():
        return model.embed_images(images(2))


def next_logits(
    model: OFA, features: ImageFeatures, row: int, prompt_type: str, answer: list[int]
) -> torch.Tensor:
    """Of all tokens, behind the prompt and part of an answer, without anything kept."""
    question = torch.tensor([SOURCES[row]])
    encoded = model.encode(question, features, torch.tensor([IMAGES[row]]))
    prompt = decoder_prompt(SOURCES[row], prompt_type)
    hidden, _ = model.decoder(torch.tensor([[*prompt, *answer]]), model.decoder.start(encoded))
    return model.logits(hidden[0, -1])


def plain_scores(
    model: OFA, features: ImageFeatures, row: int, prompt_type: str, candidates: list[list[int]]
) -> list[float]:
    ended = [[*each, 2] for each in candidates]
    known: dict[tuple[int, ...], dict[int, float]] = {}
    for sequence in ended:
        for place in range(len(sequence)):
            prefix = sequence[:place]
            if tuple(prefix) not in known:
                allowed = sorted({each[place] for each in ended if each[:place] == prefix})
                logits = next_logits(model, features, row, prompt_type, prefix)[allowed]
                steps = logits.log_softmax(-1).tolist()
                known[tuple(prefix)] = dict(zip(allowed, steps, strict=True))
    return [sum(known[tuple(each[:n])][each[n]] for n in range(len(each))) for each in ended]


def test_a_trie_knows_what_may_follow() -> None:
    trie = Trie(CANDIDATES)
    assert trie.allowed([]) == [20, 21, 30, 40]
    assert trie.allowed([30]) == [31, 32, 2]
    assert trie.allowed([30, 31]) == [2, 33]
    assert trie.allowed([40, 41, 42]) == [2]
    assert trie.allowed([99]) == [2]
    assert trie.forks() == [(), (20,), (30,), (30, 31)]


@pytest.mark.parametrize("prompt_type", PROMPT_TYPES)
def test_yes_no_is_what_a_plain_computation_gives(
    model: OFA, features: ImageFeatures, prompt_type: str
) -> None:
    logits = yes_no_logits(model, features, IMAGES, SOURCES, 20, 21, prompt_type)
    with torch.no_grad():
        plain = [next_logits(model, features, row, prompt_type, []) for row in range(3)]
    assert_close(logits, torch.stack([each[20] - each[21] for each in plain]))
    assert logits.std() > 1e-3


@pytest.mark.parametrize("prompt_type", PROMPT_TYPES)
def test_yes_no_takes_one_pass_of_each_stack(
    model: OFA, features: ImageFeatures, prompt_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = []
    for name in ("encoder", "decoder"):
        stack = getattr(model, name)
        monkeypatch.setattr(
            stack,
            "forward",
            lambda *args, name=name, forward=stack.forward: passes.append(name) or forward(*args),
        )
    yes_no_logits(model, features, IMAGES, SOURCES, 20, 21, prompt_type)
    assert passes == ["encoder", "decoder"]
    score_candidates(model, features, IMAGES, SOURCES, [[20], [21]], prompt_type)
    assert passes == ["encoder", "decoder"] * 2


@pytest.mark.parametrize("prompt_type", PROMPT_TYPES)
def test_two_single_tokens_score_alike_in_all_three_ways(
    model: OFA, features: ImageFeatures, prompt_type: str
) -> None:
    logits = yes_no_logits(model, features, IMAGES, SOURCES, 20, 21, prompt_type)
    expected = torch.stack([logits.sigmoid(), (-logits).sigmoid()], 1)
    candidates = [[20], [21]]
    scores = score_candidates(model, features, IMAGES, SOURCES, candidates, prompt_type)
    assert_close(scores.exp(), expected)
    found = beam_search(model, features, IMAGES, SOURCES, prompt_type, candidates)
    for answers, row in zip(found, scores.tolist(), strict=True):
        by_tokens = {answer.tokens: answer.score for answer in answers}
        assert by_tokens == {
            (20,): pytest.approx(row[0], rel=1e-5),
            (21,): pytest.approx(row[1], rel=1e-5),
        }
        assert answers[0].score >= answers[1].score


@pytest.mark.parametrize(
    ("prompt_type", "chunk"), [("none", 64), ("prev_output", 64), ("prev_output", 1)]
)
def test_candidates_score_as_when_each_is_decoded_alone(
    model: OFA, features: ImageFeatures, prompt_type: str, chunk: int
) -> None:
    scores = score_candidates(
        model, features, IMAGES, SOURCES, CANDIDATES, prompt_type, chunk=chunk
    )
    with torch.no_grad():
        plain = [plain_scores(model, features, row, prompt_type, CANDIDATES) for row in range(3)]
    assert_close(scores, plain)
    assert_close(scores.exp().sum(1), torch.ones(3))


def test_a_wide_beam_ranks_a_list_as_scoring_all_of_it_does(
    model: OFA, features: ImageFeatures
) -> None:
    scores = score_candidates(model, features, IMAGES, SOURCES, CANDIDATES, "prev_output")
    found = beam_search(model, features, IMAGES, SOURCES, "prev_output", CANDIDATES, beam=20)
    for answers, row in zip(found, scores, strict=True):
        order = row.argsort(descending=True).tolist()
        assert [list(answer.tokens) for answer in answers] == [CANDIDATES[n] for n in order]
        assert_close([a.score for a in answers], row[order])


def test_a_beam_stops_when_enough_answers_have_ended(
    model: OFA, features: ImageFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though each answer has a longer one behind it that might be better."""
    passes = []
    forward = model.decoder.forward
    monkeypatch.setattr(model.decoder, "forward", lambda *args: passes.append(1) or forward(*args))
    candidates = [answer for token in range(20, 40) for answer in ([token], [token, 47, 47, 47])]
    found = beam_search(model, features, IMAGES, SOURCES, "prev_output", candidates, beam=1)
    lengths = [len(answer.tokens) for (answer,) in found]
    assert min(lengths) == 1
    assert len(passes) == 1 + sum(lengths)


def test_a_free_answer_is_a_greedy_one_with_a_beam_of_one(
    model: OFA, features: ImageFeatures
) -> None:
    found = beam_search(model, features, IMAGES, SOURCES, "none", beam=1, max_length=4)
    with torch.no_grad():
        for row, (answer,) in enumerate(found):
            greedy: list[int] = []
            total = 0.0
            while True:
                logits = next_logits(model, features, row, "none", greedy)
                values = logits.log_softmax(-1)
                values[[0, 1]] = -torch.inf
                if not greedy:
                    values[2] = -torch.inf
                token = 2 if len(greedy) == 4 else int(values.argmax())
                total += float(values[token])
                if token == 2:
                    break
                greedy.append(token)
            assert list(answer.tokens) == greedy
            assert_close(answer.score, total)


def test_free_answers_are_short_sorted_and_without_special_tokens(
    model: OFA, features: ImageFeatures
) -> None:
    for answers in beam_search(model, features, IMAGES, SOURCES, "none", beam=4, max_length=3):
        assert 1 <= len(answers) <= 4
        assert all(1 <= len(answer.tokens) <= 3 for answer in answers)
        assert all({0, 1, 2}.isdisjoint(answer.tokens) for answer in answers)
        scores = [answer.score for answer in answers]
        assert scores == sorted(scores, reverse=True)


def test_what_cannot_be_scored_is_refused(model: OFA, features: ImageFeatures) -> None:
    with pytest.raises(OFAError, match="an empty answer"):
        Trie([[20], []])
    with pytest.raises(OFAError, match="no answers"):
        score_candidates(model, features, IMAGES, SOURCES, [], "none")
    with pytest.raises(OFAError, match="3 questions about 1 images"):
        yes_no_logits(model, features, [0], SOURCES, 20, 21, "none")
