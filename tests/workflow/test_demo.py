"""The embedded miniature world: what the repository carries is what `python -m demo` makes."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo import histograms, questions, vqa_scenes, world
from demo.vqa_scenes import COLOURS, Item
from synthsight.labels.prompts import SIMPLE

ASSETS = Path(__file__).parents[2] / "resources" / "demo"
CATEGORIES = list(world.CATEGORIES)
LABELS = (ASSETS / "labels.txt").read_text(encoding="utf-8").splitlines()
WEIGHTS = sorted((ASSETS / "weights").glob("*.safetensors"))
SAMPLE = 120


def image_files(generator: str, category: str) -> list[Path]:
    return sorted((ASSETS / "images" / generator / category).iterdir())


@pytest.mark.parametrize("generator", world.SOURCES)
def test_every_category_has_its_images(generator: str) -> None:
    assert {path.name for path in (ASSETS / "images" / generator).iterdir()} == set(CATEGORIES)
    for category in CATEGORIES:
        files = image_files(generator, category)
        assert len(files) == world.IMAGES_PER_CATEGORY
        for file in files:
            with Image.open(file) as image:
                image.verify()


@pytest.mark.parametrize("generator", world.SOURCES)
@pytest.mark.parametrize("category", ["clock", "kite", "turtle"])
def test_the_committed_images_follow_from_the_seed(generator: str, category: str) -> None:
    number = 2
    file = image_files(generator, category)[number]
    with Image.open(file) as image:
        stored = np.asarray(image.convert("RGB"), dtype=float)
    drawn = world.source_image(generator, category, number)
    # Another JPEG library may round differently, so pixels are compared, not bytes.
    assert drawn.size == stored.shape[1::-1]
    assert np.abs(np.asarray(drawn, dtype=float) - stored).mean() < 6


def test_the_same_seed_gives_the_same_bytes() -> None:
    def encoded() -> bytes:
        file = io.BytesIO()
        world.class_image("photo", "held-out", "pretzel", 0).save(file, "PNG")
        return file.getvalue()

    assert encoded() == encoded()


def test_the_labels_are_the_classes_in_order() -> None:
    assert list(world.CLASSES) == LABELS
    assert 30 <= len(LABELS) <= 40


def test_the_labels_are_imagenets_own() -> None:
    info = pytest.importorskip("timm.data").ImageNetInfo("imagenet-1k")
    names = {info.index_to_description(index) for index in range(info.num_classes())}
    assert set(LABELS) <= names


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_is_named_by_some_label(category: str) -> None:
    phrase = re.compile(rf"\b{category.replace('_', ' ')}\b", re.IGNORECASE)
    assert any(phrase.search(label) for label in LABELS)


def test_the_whole_demo_stays_small() -> None:
    files = [path for path in ASSETS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1.25e7


@pytest.fixture(scope="module")
def held_out_sample() -> tuple[list[Image.Image], np.ndarray]:
    """Fresh pictures of the training style that neither training nor the reference has used."""
    labels = np.arange(SAMPLE) % len(LABELS)
    images = [
        world.class_image("photo", "check", LABELS[label], number)
        for number, label in enumerate(labels)
    ]
    return images, labels


def test_four_classifiers_are_there() -> None:
    assert len(WEIGHTS) == 4


@pytest.mark.long
@pytest.mark.parametrize("file", WEIGHTS, ids=lambda file: file.stem)
def test_the_stored_accuracy_is_reproduced(file: Path, held_out_sample) -> None:
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors")
    train = pytest.importorskip("demo.train")
    recipe = train.RECIPES[file.stem]
    with safetensors.safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    assert metadata["architecture"] == recipe.architecture
    reference = json.loads(metadata["reference"])
    assert reference["n"] >= 1000

    images, labels = held_out_sample
    pixels = np.stack([train.prepare(image, recipe.geometry) for image in images])
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    # `load` is strict: every tensor, and as many outputs as there are labels.
    top1, top5 = train.accuracy(train.load(file, recipe), recipe, batch, torch.from_numpy(labels))
    for measured, stored in ((top1, reference["top1"]), (top5, reference["top5"])):
        spread = np.sqrt(max(stored * (1 - stored), 0.04) / SAMPLE)
        assert abs(measured - stored) < 4 * spread


# ---- a classifier that is asked with names -----------------------------------------------------

CLIP = ASSETS / "weights" / "demo_clip"


def test_the_clip_folder_is_whole_and_small() -> None:
    safetensors = pytest.importorskip("safetensors")
    files = {path.name for path in CLIP.iterdir()}
    assert files == {
        *("config.json", "model.safetensors", "preprocessor_config.json"),
        *("tokenizer.json", "tokenizer_config.json"),
    }
    with safetensors.safe_open(CLIP / "model.safetensors", "pt") as opened:
        tensors = [opened.get_slice(name) for name in opened.keys()]  # noqa: SIM118
        assert opened.metadata()["license"] == "MIT"
    assert {tensor.get_dtype() for tensor in tensors} <= {"F16", "I64"}
    assert sum(np.prod(tensor.get_shape()) for tensor in tensors) < 5e5


def test_the_clip_knows_every_word_that_it_is_asked_with_and_says_so_of_others() -> None:
    transformers = pytest.importorskip("transformers")
    read = transformers.AutoTokenizer.from_pretrained(CLIP, local_files_only=True)
    names = [name.strip() for label in LABELS for name in label.split(",")]
    names += [category.replace("_", " ") for category in CATEGORIES]
    for template in SIMPLE:
        for tokens in read([template.replace("{}", name) for name in names])["input_ids"]:
            assert read.unk_token_id not in tokens
            assert len(tokens) <= read.model_max_length
    assert read.unk_token_id in read("a photo of a zebra.")["input_ids"]
    assert read("A Photo")["input_ids"] == read("a photo")["input_ids"]


def test_the_clip_s_folder_says_how_it_saw_pictures_in_training() -> None:
    train_clip = pytest.importorskip("demo.train_clip")
    preprocessors = pytest.importorskip("synthsight.classifiers.preprocessors")
    about = json.loads((CLIP / "preprocessor_config.json").read_text(encoding="utf-8"))
    found = preprocessors.understand(about, "clip")
    assert found.geometry == train_clip.GEOMETRY
    assert (*found.mean, *found.std) == (0.5,) * 6


@pytest.mark.long
def test_the_clip_s_stored_accuracy_is_reproduced_and_drops_on_the_generators() -> None:
    safetensors = pytest.importorskip("safetensors")
    train_clip = pytest.importorskip("demo.train_clip")
    with safetensors.safe_open(CLIP / "model.safetensors", "pt") as opened:
        reference = json.loads(opened.metadata()["reference"])
    assert reference["n"] >= 1000
    classifier = train_clip.load(CLIP, ASSETS / "labels.txt")
    reached = {}
    for style in world.SOURCES:
        pictures = train_clip.draw_split(style, "check", 3, workers=1)
        reached[style] = train_clip.accuracy(classifier, *pictures)
    wanted = reference["top1"], reference["top5"]
    for measured, stored in zip(reached["photo"], wanted, strict=True):
        spread = np.sqrt(max(stored * (1 - stored), 0.04) / SAMPLE)
        assert abs(measured - stored) < 4 * spread
    for generator in world.GENERATORS:
        assert 0.2 < reached[generator][0] < reached["photo"][0] - 0.15


# ---- predictions from elsewhere ----------------------------------------------------------------

PREDICTIONS = ASSETS / "predictions" / "demo_histograms.csv"


def prediction_rows() -> list[dict[str, str]]:
    with open(PREDICTIONS, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert reader.fieldnames == ["image", "label", "probability"]
    return rows


def test_the_predictions_are_one_label_and_its_probability_for_each_image() -> None:
    rows = prediction_rows()
    root = ASSETS / "images"
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert sorted(row["image"] for row in rows) == sorted(files)
    names = {label.split(",")[0] for label in LABELS}
    assert len(names) == len(LABELS)
    for row in rows:
        assert row["label"] in names
        assert 1 / len(LABELS) < float(row["probability"]) <= 1


@pytest.mark.long
def test_the_predictions_are_what_the_program_gives() -> None:
    made = histograms.predict(histograms.trained(workers=1), ASSETS / "images")
    # Another JPEG library may round pixels differently, another BLAS the sums.
    for row, (image, label, probability) in zip(prediction_rows(), made, strict=True):
        assert row["image"] == image
        assert abs(float(row["probability"]) - float(probability)) < 0.05, image
        assert row["label"] == label or float(probability) < 0.55, image


def test_the_classifier_of_histograms_is_fisher_s_on_data_that_it_is_right_for() -> None:
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(len(LABELS)), 30)
    means = rng.normal(0, 3, (len(LABELS), 5))
    spread = rng.normal(0, 1, (5, 5))
    seen = means[classes] + rng.normal(0, 1, (len(classes), 5)) @ spread
    found = histograms.fit(seen, classes)
    # Independently: distances from the means of the classes, in the metric of what is within.
    centres = np.stack([seen[classes == number].mean(0) for number in range(len(LABELS))])
    rest = seen - centres[classes]
    within = rest.T @ rest / (len(seen) - len(LABELS))
    share = histograms.SHRINKAGE
    within = (1 - share) * within + share * np.eye(5) * np.diag(within).mean()
    away = seen[:, None] - centres
    distance = np.einsum("nci,ij,ncj->nc", away, np.linalg.inv(within), away)
    likely = np.exp(-0.5 * distance)
    assert np.allclose(found.probabilities(seen), likely / likely.sum(1, keepdims=True), atol=1e-6)


# ---- pictures with questions -----------------------------------------------------------------

VQA = ASSETS / "vqa"
OFA = ASSETS / "weights" / "demo_ofa"
NOUN = "|".join(sorted(vqa_scenes.KINDS, key=len, reverse=True))  # balloon before ball
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4}


def question_rows() -> list[dict[str, str]]:
    with open(VQA / "questions.csv", encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert reader.fieldnames == ["image", "question", "answer", "generator"]
    return rows


@pytest.fixture(scope="module")
def exhibits() -> list[questions.Exhibit]:
    return questions.exhibits()


def truth(text: str, items: Sequence[Item]) -> bool:
    """The answer to a question, from its words and what is in the picture alone."""
    text = text.lower()
    counts = Counter(item.kind for item in items)

    def the(kind: str) -> Item:
        assert counts[kind] == 1, f"which {kind}?"
        return next(item for item in items if item.kind == kind)

    if found := re.search(rf"more ({NOUN})s than ({NOUN})s", text):
        return counts[found[1]] > counts[found[2]]
    if found := re.search(rf"(more than two|at least three|fewer than three) ({NOUN})s", text):
        return (counts[found[2]] < 3) == found[1].startswith("fewer")
    if found := re.search(rf"(?:exactly|count|only) ({'|'.join(NUMBERS)}) ({NOUN})s?\?", text):
        return counts[found[2]] == NUMBERS[found[1]]
    if found := re.search(rf"the number of ({NOUN})s ({'|'.join(NUMBERS)})\?", text):
        return counts[found[1]] == NUMBERS[found[2]]
    if found := re.search(rf"the ({NOUN}) (?:look )?(bigger|smaller) than the ({NOUN})", text):
        assert the(found[1]).large != the(found[3]).large
        return the(found[1]).large == (found[2] == "bigger")
    if found := re.search(
        rf"the ({NOUN}) (?:to the )?(left of|right of|above|below|higher up than|lower down than)"
        rf" the ({NOUN})",
        text,
    ):
        one, other = the(found[1]), the(found[3])
        across, down = one.x - other.x, one.y - other.y
        step = {"left": -across, "right": across, "above": -down, "below": down}.get(
            found[2].split()[0], -down if "higher" in found[2] else down
        )
        assert abs(step) > 0.2
        return step > 0
    if found := re.search(rf"the ({NOUN}) (?:look )?({'|'.join(COLOURS)})\?", text):
        return the(found[1]).colour == found[2]
    if found := re.search(rf"a ({'|'.join(COLOURS)}) ({NOUN})\?", text):
        return any((item.colour, item.kind) == found.groups() for item in items)
    found = re.search(rf"\b(a|an|any|no) ({NOUN})s?\b", text)
    assert found, text
    assert found[1] != "a" or found[2][0] not in "aeiou"
    there = counts[found[2]] > 0
    return there != (found[1] == "no" or "without" in text)


@pytest.mark.long
def test_every_answer_follows_from_what_was_drawn(exhibits) -> None:
    asked = [(shown, question) for shown in exhibits for question in shown.questions]
    rows = question_rows()
    assert len(rows) == len(asked)
    for row, (shown, question) in zip(rows, asked, strict=True):
        assert row["question"] == question.text
        assert row["image"].startswith(f"{shown.generator}/{shown.number + 1:02d}.")
        assert row["generator"] == shown.generator
        expected = "yes" if truth(row["question"], shown.picture.items) else "no"
        assert row["answer"] == expected, row


def test_as_many_questions_as_in_the_paper_and_as_many_yes() -> None:
    rows = question_rows()
    answers = Counter(row["answer"] for row in rows)
    assert answers == {"yes": 132, "no": 109}
    images = Counter(row["image"] for row in rows)
    assert len(images) == 50
    assert set(images.values()) == {4, 5}
    assert len({(row["image"], row["question"]) for row in rows}) == len(rows)
    files = [path for path in (VQA / "images").rglob("*") if path.is_file()]
    assert {path.relative_to(VQA / "images").as_posix() for path in files} == set(images)
    assert sum(path.stat().st_size for path in VQA.rglob("*") if path.is_file()) < 5e5


def test_every_kind_of_question_has_its_share_of_yes(exhibits) -> None:
    answers = defaultdict(list)
    for shown in exhibits:
        for question in shown.questions:
            answers[question.kind, shown.generator].append(question.answer)
    assert len(answers) == len(questions.KINDS) * len(world.GENERATORS)
    for given in answers.values():
        assert len(given) >= 18
        assert 0.4 < np.mean(given) < 0.65


def test_the_questions_pictures_follow_from_the_seed(exhibits) -> None:
    for shown in exhibits[::10]:
        (file,) = (VQA / "images" / shown.generator).glob(f"{shown.number + 1:02d}.*")
        with Image.open(file) as image:
            stored = np.asarray(image.convert("RGB"), dtype=float)
        drawn = np.asarray(shown.picture.image, dtype=float)
        assert drawn.shape == stored.shape
        assert np.abs(drawn - stored).mean() < 8


@pytest.mark.long
def test_the_same_seed_gives_the_same_questions_and_bytes() -> None:
    first, second = (vqa_scenes.picture("crayon", "check", 3) for _ in range(2))
    assert first.items == second.items
    assert first.image.tobytes() == second.image.tobytes()
    assert questions.plan() == questions.plan()


@pytest.mark.long
def test_things_stand_clear_of_each_other_and_sizes_are_told_apart() -> None:
    for number in range(60):
        rng = world.random_for("layout", number)
        items = vqa_scenes.furnish(rng)
        assert 4 <= len(items) <= 7
        boxes = []
        for thing in vqa_scenes.lay_out(items, rng).things:
            corners = np.vstack([part.boundary for part in thing]) / vqa_scenes.SIDE
            boxes.append((corners.min(axis=0), corners.max(axis=0)))
        for low, high in boxes:
            assert low.min() > -0.04
            assert high.max() < 1.04
        areas = [float((high - low).prod()) for low, high in boxes]
        for one, other in itertools.combinations(range(len(items)), 2):
            overlap = np.minimum(boxes[one][1], boxes[other][1]) - np.maximum(
                boxes[one][0], boxes[other][0]
            )
            shared = max(overlap[0], 0) * max(overlap[1], 0)
            assert shared < 0.12 * min(areas[one], areas[other])
            if items[one].large and not items[other].large:
                assert areas[one] > 1.35 * areas[other]


def words_of(text: str) -> list[str]:
    words = ["^", *text.lower().split()]
    return [*words, *map(" ".join, itertools.pairwise(words))]


@pytest.mark.long
def test_the_wording_does_not_give_the_answer_away() -> None:
    def sample(name: str, pictures: int) -> list[questions.Question]:
        rng = world.random_for("wording", name)
        scenes = (vqa_scenes.furnish(rng) for _ in range(pictures))
        return [
            questions.ask(rng, items, kind, bool(rng.random() < 0.5))
            for items in scenes
            for kind in questions.KINDS
        ]

    # Naive Bayes on words and pairs of words, kind by kind, without the pictures.
    seen: dict[tuple[str, str], list[int]] = defaultdict(lambda: [1, 1])
    for question in sample("learn", 6000):
        for word in words_of(question.text):
            seen[question.kind, word][question.answer] += 1
    right = defaultdict(list)
    for question in sample("judge", 1500):
        ratios = [seen[question.kind, word] for word in words_of(question.text)]
        guess = sum(np.log(yes / no) for no, yes in ratios) > 0
        right[question.kind].append(guess == question.answer)
    for kind, hits in right.items():
        assert abs(np.mean(hits) - 0.5) < 0.05, kind  # four standard errors


@pytest.fixture(scope="module")
def ofa():
    train_ofa = pytest.importorskip("demo.train_ofa")
    return train_ofa, *train_ofa.load(OFA)


def test_the_ofa_folder_is_whole_and_small(ofa) -> None:
    safetensors = pytest.importorskip("safetensors")
    _, model, tokenizer = ofa  # loading is strict: every tensor, no other
    names = {"config.json", "merges.txt", "model.safetensors", "vocab.json"}
    assert {path.name for path in OFA.iterdir()} == names
    assert sum(path.stat().st_size for path in OFA.iterdir()) < 4e6
    with safetensors.safe_open(OFA / "model.safetensors", "pt") as opened:
        kinds = {opened.get_slice(name).get_dtype() for name in opened.keys()}  # noqa: SIM118
    assert kinds <= {"F16", "I64"}
    assert model.config.prompt_type == "prev_output"
    tokenizer.check(model.config)
    assert tokenizer.single(" yes") != tokenizer.single(" no")
    text = " Wieviel? \u20ac 5, \U0001f418"
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.long
def test_ofas_stored_accuracy_is_reproduced(ofa) -> None:
    safetensors = pytest.importorskip("safetensors")
    train_ofa, model, tokenizer = ofa
    with safetensors.safe_open(OFA / "model.safetensors", "pt") as opened:
        metadata = opened.metadata()
    assert metadata["license"] == "MIT"
    reference = json.loads(metadata["reference"])
    assert reference["n"] >= 3000
    assert reference["yes_no"] > reference["always_yes"] + 0.2

    fresh = train_ofa.draw_split("check", 50, workers=1)
    asked = train_ofa.held_out_questions(fresh)
    said = train_ofa.predictions(model, tokenizer, fresh.pixels, asked)
    stored = reference["yes_no"]
    spread = np.sqrt(stored * (1 - stored) / 300)
    assert abs(train_ofa.measure(asked, said)["all"] - stored) < 4 * spread


# ---- a model that converses --------------------------------------------------------------------

CHAT = ASSETS / "weights" / "demo_chat"


@pytest.fixture(scope="module")
def chat():
    train_chat = pytest.importorskip("demo.train_chat")
    return train_chat, train_chat.load(CHAT)


def test_the_chat_folder_is_whole_and_small() -> None:
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors.torch")
    assert {path.name for path in CHAT.iterdir()} == {
        *("config.json", "model.safetensors", "processor_config.json", "chat_template.jinja"),
        *("tokenizer.json", "tokenizer_config.json"),
    }
    assert sum(path.stat().st_size for path in CHAT.iterdir()) < 2.4e6
    for name, weight in safetensors.load_file(CHAT / "model.safetensors").items():
        # A chat model runs in the dtype that it is published in; half of the bits are zeros.
        assert weight.dtype == torch.float32, name
        assert torch.equal(weight, weight.half().float()), name


def test_the_chat_model_knows_the_words_of_the_questions_and_no_others(chat) -> None:
    tokenizer = chat[1].processor.tokenizer
    for row in question_rows():
        assert tokenizer.unk_token_id not in tokenizer(row["question"])["input_ids"]
    assert tokenizer.unk_token_id in tokenizer("Is there a zebra?")["input_ids"]


def test_the_chat_model_is_asked_with_what_it_was_trained_on(chat) -> None:
    """The template and the processor in its folder give the tokens and pixels of training."""
    torch = pytest.importorskip("torch")
    train_chat, model = chat
    picture = vqa_scenes.picture("photo", "check", 0).image
    text = " ".join(model.read("Is there a zebra?", None))
    content = [{"type": "image", "image": picture}, {"type": "text", "text": text}]
    put = model.processor.apply_chat_template(
        [[{"role": "user", "content": content}]],
        **{"add_generation_prompt": True, "tokenize": True, "return_dict": True},
        return_tensors="pt",
    )
    (ids,) = train_chat.turns(model.processor.tokenizer, ["Is there a zebra?"])
    image = [train_chat.IMAGE] * train_chat.GRID**2
    assert put["input_ids"].tolist() == [[train_chat.USER, *image, *ids]]
    (pixels,) = train_chat.draw_split("check", 1, workers=1).pixels
    assert torch.equal(put["pixel_values"][0], train_chat.pixel_values(pixels[None])[0])


def test_questions_that_share_a_sequence_in_training_are_answered_as_if_alone(chat) -> None:
    torch = pytest.importorskip("torch")
    train_chat, model = chat
    net, tokenizer = model.model, model.processor.tokenizer
    texts = ["Is there a car?", "Is the cup to the left of the teddy bear?", "Are there no trees?"]
    asked = train_chat.turns(tokenizer, texts)
    values = train_chat.pixel_values(train_chat.draw_split("check", 2, workers=1).pixels)
    tokens, positions, sees = train_chat.packed([asked, asked[:1]])
    with torch.no_grad():
        seen = train_chat.features(net, values)
        embedded = net.get_input_embeddings()(tokens)
        embedded = torch.cat([embedded[:, :1], seen, embedded[:, 1 + seen.shape[1] :]], dim=1)
        together = net.model.language_model(
            inputs_embeds=embedded, attention_mask=sees, position_ids=positions
        )
        logits = net.lm_head(together.last_hidden_state)
        ends = 1 + seen.shape[1] + np.cumsum([len(ids) for ids in asked]) - 1
        for ids, end in zip(asked, ends, strict=True):
            image = [train_chat.IMAGE] * seen.shape[1]
            alone = net(
                input_ids=torch.tensor([[train_chat.USER, *image, *ids]]), pixel_values=values[:1]
            )
            assert torch.allclose(alone.logits[0, -1], logits[0, end], atol=1e-4)


def test_things_move_in_training_as_their_pictures_do() -> None:
    torch = pytest.importorskip("torch")
    train_chat = pytest.importorskip("demo.train_chat")
    side = train_chat.SIDE
    pixels = torch.zeros(1, side, side, 3, dtype=torch.uint8)
    pixels[0, 30:33, 70:73] = 255
    item = Item("ball", "red", x=71.5 / side, y=31.5 / side, size=0.1)
    split = train_chat.Split(pixels, [(item,)])
    moved, items = train_chat.varied(split, [0] * 40, torch.Generator().manual_seed(0))
    places = set()
    for view, (shown,) in zip(moved, items, strict=True):
        rows, columns = np.nonzero(view[..., 0].numpy())
        assert abs(rows.mean() + 0.5 - shown.y * side) < 1e-6
        assert abs(columns.mean() + 0.5 - shown.x * side) < 1e-6
        places.add((rows.mean(), columns.mean()))
    assert len(places) > 30
    assert any(column > side / 2 for _, column in places)
    assert any(column < side / 2 for _, column in places)


@pytest.mark.long
def test_the_chat_models_stored_accuracy_is_reproduced_seeing_and_blind(chat) -> None:
    safetensors = pytest.importorskip("safetensors")
    train_chat, model = chat
    with safetensors.safe_open(CHAT / "model.safetensors", "pt") as opened:
        metadata = opened.metadata()
    assert metadata["license"] == "MIT"
    reference = json.loads(metadata["reference"])
    assert reference["n"] >= 3000
    assert reference["yes_no"] > reference["always_yes"] + 0.15
    assert abs(reference["blind"] - reference["always_yes"]) < 0.03
    assert reference["mass"] > 0.99

    fresh = train_chat.draw_split("check", 50, workers=1)
    asked = train_chat.held_out_questions(fresh)
    for name, blind in (("yes_no", False), ("blind", True)):
        said, mass = train_chat.predictions(model, fresh.pixels, asked, blind)
        assert mass > 0.98
        spread = np.sqrt(reference[name] * (1 - reference[name]) / 300)
        assert abs(train_chat.measure(asked, said)["all"] - reference[name]) < 4 * spread
