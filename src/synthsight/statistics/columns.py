"""The columns of the run's tables, in the order in which each table has them.

Statistics write them; figures and the report read them. Where a table may be empty, its columns
have types, so that they do not depend on its rows.
"""

from __future__ import annotations

from collections.abc import Iterable

ACCURACY = [
    "model",
    "category",
    "generator",
    "rule",
    "n",
    "top1",
    "top5",
    "top1_low",
    "top1_high",
    "top5_low",
    "top5_high",
]

#: Numbers that are not known are null, and whole nevertheless.
MODELS = {
    "model": "str",
    "task": "str",
    "library": "str",
    "architecture": "str",
    "parameters": "Int64",
    "input_height": "Int64",
    "input_width": "Int64",
    "source": "str",
    "license": "str",
    "sha256": "str",
}

AGREEMENT = [
    "generator",
    "category",
    "rule",
    "n",
    "all_top1",
    "none_top1",
    "all_top5",
    "none_top5",
    "all_top1_low",
    "all_top1_high",
    "none_top1_low",
    "none_top1_high",
    "all_top5_low",
    "all_top5_high",
    "none_top5_low",
    "none_top5_high",
]

DIFFICULTY = ["generator", "category", "rule", "hit", "models", "n", "share"]

KAPPA = ["generator", "rule", "hit", "a", "b", "n", "observed", "expected", "kappa", "low", "high"]

COMPARISONS = {
    "kind": "str",
    "generator": "str",
    "hit": "str",
    "rule": "str",
    "model": "str",
    "a": "str",
    "b": "str",
    "n": "int64",
    "a_mean": "float64",
    "b_mean": "float64",
    "difference": "float64",
    "low": "float64",
    "high": "float64",
    "only_a": "int64",
    "only_b": "int64",
    "p": "float64",
    "p_holm": "float64",
}

RANKING = ["generator", "rule", "hit", "model", "mean", "rank", "share"]

CONFUSIONS = ["generator", "model", "category", "rule", "predicted", "n", "share"]

#: What models get on images with each value of what else is known of them, beside all others.
ATTRIBUTES = {
    "generator": "str",
    "attribute": "str",
    "kind": "str",
    "place": "int64",
    "value": "str",
    "low_edge": "float64",
    "high_edge": "float64",
    "model": "str",
    "rule": "str",
    "hit": "str",
    "categories": "int64",
    "n": "int64",
    "mean": "float64",
    "mean_low": "float64",
    "mean_high": "float64",
    "common": "int64",
    "n_rest": "int64",
    "rest": "float64",
    "difference": "float64",
    "low": "float64",
    "high": "float64",
    "p": "float64",
    "p_holm": "float64",
}

#: How far a model's confidence in its first guess can be trusted, and by bins of it.
CALIBRATION = {
    "model": "str",
    "rule": "str",
    "generator": "str",
    "n": "int64",
    "bins": "Int64",
    "confidence": "float64",
    "top1": "float64",
    "over": "float64",
    "over_low": "float64",
    "over_high": "float64",
    "ece": "float64",
    "ece_low": "float64",
    "ece_high": "float64",
    "chance": "float64",
}

CALIBRATION_BINS = {
    "model": "str",
    "rule": "str",
    "generator": "str",
    "bin": "int64",
    "low_edge": "float64",
    "high_edge": "float64",
    "n": "int64",
    "confidence": "float64",
    "top1": "float64",
    "low": "float64",
    "high": "float64",
}

GENERATORS = {
    "model": "str",
    "rule": "str",
    "hit": "str",
    "a": "str",
    "b": "str",
    "categories": "int64",
    "n_a": "int64",
    "n_b": "int64",
    "a_mean": "float64",
    "b_mean": "float64",
    "difference": "float64",
    "low": "float64",
    "high": "float64",
}

REFERENCE = {
    "model": "str",
    "category": "str",
    "generator": "str",
    "rule": "str",
    "kind": "str",
    "source": "str",
    "categories": "int64",
    "n_reference": "Int64",
    "n": "int64",
    "reference_top1": "float64",
    "reference_top1_low": "float64",
    "reference_top1_high": "float64",
    "reference_top5": "float64",
    "reference_top5_low": "float64",
    "reference_top5_high": "float64",
    "top1": "float64",
    "top1_low": "float64",
    "top1_high": "float64",
    "top5": "float64",
    "top5_low": "float64",
    "top5_high": "float64",
    "drop_top1": "float64",
    "drop_top1_low": "float64",
    "drop_top1_high": "float64",
    "drop_top5": "float64",
    "drop_top5_low": "float64",
    "drop_top5_high": "float64",
}

#: With fewer models there is no table of robustness: a line through them says nothing.
LEAST_MODELS = 5

ROBUSTNESS = {
    "model": "str",
    "rule": "str",
    "hit": "str",
    "models": "int64",
    "categories": "int64",
    "real": "float64",
    "generated": "float64",
    "slope": "float64",
    "intercept": "float64",
    "expected": "float64",
    "residual": "float64",
    "low": "float64",
    "high": "float64",
}

#: What classifiers trained on one source get on another; ``measure`` says what a pair of them is.
TRANSFER = {
    "model": "str",
    "train": "str",
    "test": "str",
    "measure": "str",
    "per_category": "int64",
    "n_train": "int64",
    "n_test": "int64",
    "categories": "int64",
    "chance": "float64",
    "top1": "float64",
    "low": "float64",
    "high": "float64",
    "penalty": "float64",
    "real_to_real": "float64",
    "difference": "float64",
    "difference_low": "float64",
    "difference_high": "float64",
}

#: What a pair of sources is: see docs/methods.md.
MEASURES = ("real", "GAN-train", "GAN-test", "within", "across")

TRANSFER_CATEGORIES = {
    "model": "str",
    "train": "str",
    "test": "str",
    "per_category": "int64",
    "category": "str",
    "n_test": "int64",
    "top1": "float64",
    "low": "float64",
    "high": "float64",
    "taken_for": "str",
    "taken_share": "float64",
}

DISTANCES = {
    "model": "str",
    "generator": "str",
    "reference": "str",
    "n": "int64",
    "categories": "int64",
    "kid": "float64",
    "kid_low": "float64",
    "kid_high": "float64",
    "precision": "float64",
    "precision_low": "float64",
    "precision_high": "float64",
    "recall": "float64",
    "recall_low": "float64",
    "recall_high": "float64",
    "density": "float64",
    "density_low": "float64",
    "density_high": "float64",
    "coverage": "float64",
    "coverage_low": "float64",
    "coverage_high": "float64",
    "c2st": "float64",
    "p": "float64",
}

#: What models get before and after they are trained on the run's images, under ``restricted``.
ADAPTATION = {
    "model": "str",
    "base": "str",
    "method": "str",
    "generator": "str",
    "category": "str",
    "trained": "str",
    "n": "int64",
    "folds": "int64",
    "before": "float64",
    "after": "float64",
    "after_low": "float64",
    "after_high": "float64",
    "gain": "float64",
    "low": "float64",
    "high": "float64",
    "only_after": "Int64",
    "only_before": "Int64",
    "sd": "float64",
    "named": "Int64",
    "named_gain": "float64",
    "named_low": "float64",
    "named_high": "float64",
}

#: How many of a source's images are of generators that the model was trained on.
TRAINED = ("all", "some", "none")

#: What models get without seeing the images, and gain by seeing them.
SEEING = ["blind", "blind_low", "blind_high", "gain", "gain_low", "gain_high"]

VQA = [
    "model",
    "n",
    "n_yes",
    "n_no",
    "images",
    "accuracy",
    "low",
    "high",
    "always_yes",
    "balanced_accuracy",
    "balanced_low",
    "balanced_high",
    "yes_yes",
    "yes_no",
    "no_yes",
    "no_no",
    "unanswered",
    "unparsed",
    "all_wrong",
    "all_right",
    "mass",
    *SEEING,
    "ece",
    "brier",
    "source",
    "reference_yes_no",
    "reference_overall",
    "drop",
    "drop_low",
    "drop_high",
]

VQA_GROUPS = [
    "model",
    "by",
    "value",
    "n",
    "n_yes",
    "images",
    "accuracy",
    "low",
    "high",
    "always_yes",
    "balanced_accuracy",
    *SEEING,
]

VQA_QUESTIONS = [
    "generator",
    "questions",
    "images",
    "yes",
    "no",
    "share_yes",
    "questions_per_image",
    "words_per_question",
]

VQA_CALIBRATION = {
    "model": "str",
    "bin": "int64",
    "low_edge": "float64",
    "high_edge": "float64",
    "n": "int64",
    "images": "int64",
    "mean_p_yes": "float64",
    "share_yes": "float64",
    "low": "float64",
    "high": "float64",
}

VQA_COMPARISONS = {
    "a": "str",
    "b": "str",
    "n": "int64",
    "images": "int64",
    "a_accuracy": "float64",
    "b_accuracy": "float64",
    "difference": "float64",
    "low": "float64",
    "high": "float64",
    "only_a": "int64",
    "only_b": "int64",
    "p": "float64",
    "p_holm": "float64",
}

#: What people say, beside the models on the same images.
PEOPLE = {
    "kind": "str",
    "name": "str",
    "rule": "str",
    "category": "str",
    "generator": "str",
    "categories": "int64",
    "n": "int64",
    "raters": "int64",
    "accuracy": "float64",
    "low": "float64",
    "high": "float64",
    "difference": "float64",
    "difference_low": "float64",
    "difference_high": "float64",
    "other": "float64",
    "cannot_tell": "float64",
}

PEOPLE_AGREEMENT = {
    "generator": "str",
    "kind": "str",
    "name": "str",
    "rule": "str",
    "n": "int64",
    "pairs": "int64",
    "undefined": "int64",
    "kappa": "float64",
    "low": "float64",
    "high": "float64",
    "trials": "Int64",
}

PEOPLE_IMAGES = {
    "image": "str",
    "category": "str",
    "generator": "str",
    "real": "bool",
    "raters": "int64",
    "right": "int64",
    "share": "float64",
    "recognised": "bool",
    "response": "str",
    "rule": "str",
    "models_right": "int64",
    "models": "int64",
    "who": "str",
}

#: Who gets an image: more than half of its raters, and one model at least.
WHO = ("people and models", "people only", "models only", "neither")

PEOPLE_GROUPS = {
    "category": "str",
    "generator": "str",
    "rule": "str",
    "n": "int64",
    "people_and_models": "int64",
    "people_only": "int64",
    "models_only": "int64",
    "neither": "int64",
}

PEOPLE_RECOGNISABLE = {
    "model": "str",
    "rule": "str",
    "generator": "str",
    "categories": "int64",
    "n_all": "int64",
    "n": "int64",
    "all_top1": "float64",
    "all_low": "float64",
    "all_high": "float64",
    "top1": "float64",
    "low": "float64",
    "high": "float64",
    "difference": "float64",
    "difference_low": "float64",
    "difference_high": "float64",
}

PEOPLE_ANSWERS = {
    "kind": "str",
    "name": "str",
    "n": "int64",
    "images": "int64",
    "raters": "int64",
    "accuracy": "float64",
    "low": "float64",
    "high": "float64",
    "difference": "float64",
    "difference_low": "float64",
    "difference_high": "float64",
    "cannot_tell": "float64",
    "kappa": "float64",
    "kappa_low": "float64",
    "kappa_high": "float64",
    "trials": "Int64",
    "left_out": "int64",
}

PEOPLE_EXCLUDED = ["file", "line", "rater", "image", "question", "response", "reason"]

#: The table with one row per image and rule.
IMAGES = ["image", "category", "generator", "real", "rule", "top1", "top5", "models"]

#: Files, and questions, that were left out; images that are there more than once.
EXCLUDED = ["image", "category", "generator", "sha256", "reason"]
DUPLICATES = [
    "a",
    "b",
    "category_a",
    "category_b",
    "generator_a",
    "generator_b",
    "real_a",
    "real_b",
    "kind",
    "bits",
    "mirrored",
]
EXCLUDED_QUESTIONS = ["line", "image", "question", "answer", "reason", "file"]

#: The columns of each table, by its name.
BY_TABLE: dict[str, Iterable[str]] = {
    "accuracy": ACCURACY,
    "adaptation": ADAPTATION,
    "agreement": AGREEMENT,
    "attributes": ATTRIBUTES,
    "calibration": CALIBRATION,
    "calibration_bins": CALIBRATION_BINS,
    "comparisons": COMPARISONS,
    "confusions": CONFUSIONS,
    "difficulty": DIFFICULTY,
    "distances": DISTANCES,
    "duplicates": DUPLICATES,
    "excluded": EXCLUDED,
    "excluded_questions": EXCLUDED_QUESTIONS,
    "generators": GENERATORS,
    "images": IMAGES,
    "models": MODELS,
    "kappa": KAPPA,
    "people": PEOPLE,
    "people_agreement": PEOPLE_AGREEMENT,
    "people_answers": PEOPLE_ANSWERS,
    "people_excluded": PEOPLE_EXCLUDED,
    "people_groups": PEOPLE_GROUPS,
    "people_images": PEOPLE_IMAGES,
    "people_recognisable": PEOPLE_RECOGNISABLE,
    "ranking": RANKING,
    "reference": REFERENCE,
    "robustness": ROBUSTNESS,
    "transfer": TRANSFER,
    "transfer_categories": TRANSFER_CATEGORIES,
    "vqa": VQA,
    "vqa_calibration": VQA_CALIBRATION,
    "vqa_comparisons": VQA_COMPARISONS,
    "vqa_groups": VQA_GROUPS,
    "vqa_questions": VQA_QUESTIONS,
}
