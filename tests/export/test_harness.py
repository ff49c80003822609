"""What is exported for other tools: the fields that they require, and the tables' numbers."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from synthsight import origin
from synthsight.doors import load
from synthsight.export.harness import TRAINED, records, results
from synthsight.export.writing import write
from synthsight.plan.exports import EXPORTS
from tests.export.test_latex import MODELS, RULE, accuracy_table
from tests.figures.test_vqa import make_answers, table_of
from tests.plan.test_rows import KEYS, parameters

#: What LM Evaluation Harness's results have for each task.
BY_TASK = ("results", "configs", "versions", "n-shot", "higher_is_better", "n-samples")

_TEXT = {"type": "string"}

#: What Every Eval Ever's schema requires of a record, and the fields of it that we use.
RECORD = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        *("schema_version", "evaluation_id", "retrieved_timestamp", "source_metadata"),
        *("model_info", "eval_library", "evaluation_results"),
    ],
    "properties": {
        "schema_version": _TEXT,
        "evaluation_id": _TEXT,
        "retrieved_timestamp": _TEXT,
        "source_metadata": {
            "required": ["source_type", "source_organization_name", "evaluator_relationship"],
            "properties": {
                "source_type": {"enum": ["documentation", "evaluation_run"]},
                "evaluator_relationship": {
                    "enum": ["first_party", "third_party", "collaborative", "other"]
                },
            },
        },
        "model_info": {
            "required": ["name", "id", "additional_details"],
            "properties": {
                "additional_details": {
                    "required": ["deployment_type", "model_availability"],
                    "properties": {
                        "deployment_type": {
                            "enum": ["self_deployed", "externally_managed", "unknown"]
                        },
                        "model_availability": {
                            "enum": ["open_weights", "closed_weights", "unknown"]
                        },
                    },
                }
            },
        },
        "eval_library": {
            "required": ["name", "version"],
            "properties": {"additional_details": {"additionalProperties": _TEXT}},
        },
        "evaluation_results": {
            "type": "array",
            "items": {
                "required": ["evaluation_name", "source_data", "metric_config", "score_details"],
                "properties": {
                    "source_data": {
                        "required": ["dataset_name", "source_type"],
                        "properties": {"source_type": {"const": "other"}},
                    },
                    "metric_config": {
                        "required": ["lower_is_better", "min_score", "max_score"],
                        "properties": {"score_type": {"const": "continuous"}},
                    },
                    "score_details": {
                        "required": ["score"],
                        "properties": {
                            "score": {"type": "number"},
                            "uncertainty": {
                                "properties": {
                                    "confidence_interval": {
                                        "required": ["lower", "upper"],
                                        "properties": {
                                            "lower": {"type": "number"},
                                            "upper": {"type": "number"},
                                            "confidence_level": {"minimum": 0, "maximum": 1},
                                        },
                                    },
                                    "num_samples": {"type": "integer"},
                                }
                            },
                        },
                    },
                },
            },
        },
    },
}

VQA = table_of(make_answers(["asked", "other"], images=12))
EXCLUDED = pd.DataFrame({"image": ["a.png", "b.png"]})


def test_results_have_every_part_for_every_task_and_the_tables_numbers() -> None:
    made = results(accuracy_table(MODELS), EXCLUDED, 0.95, "mine", VQA)
    tasks = {f"classification/{name}" for name in MODELS} | {"questions/asked", "questions/other"}
    assert all(set(made[part]) == tasks for part in BY_TASK)
    of = made["results"]["classification/resnet_50"]
    assert of[f"top1,{RULE}"] == 0.5 and of["alias"] == "resnet_50"
    assert (of[f"top1_low,{RULE}"], of[f"top1_high,{RULE}"]) == (0.46, 0.55)
    assert of[f"top1_stderr,{RULE}"] == pytest.approx(0.09 / (2 * 1.959964), rel=1e-6)
    assert of["top1,classes"] == 0.999
    assert made["n-samples"]["classification/resnet_50"] == {"original": 42, "effective": 40}
    assert made["higher_is_better"]["questions/asked"] == {"acc": True, "balanced_acc": True}
    first = VQA.set_index("model").loc["asked"]
    assert made["results"]["questions/asked"]["acc,none"] == first["accuracy"]
    for task, metrics in made["results"].items():
        names = {name.partition(",")[0] for name in metrics if "_stderr" in name}
        assert {name.removesuffix("_stderr") for name in names} == set(
            made["higher_is_better"][task]
        )


def test_a_model_that_was_trained_on_the_images_is_said_to_be() -> None:
    table = accuracy_table(MODELS)
    made = results(table, EXCLUDED, 0.95, "mine", adapted=["resnet_50"])["configs"]
    marked = {task for task, config in made.items() if "training" in config["metadata"]}
    assert marked == {"classification/resnet_50"}
    for record in records(table, 0.95, "mine", VQA, ["resnet_50", "asked"]):
        jsonschema.validate(record, RECORD)
        mine = record["model_info"]["name"] == "resnet_50"
        assert (record["model_info"]["additional_details"].get("training") == TRAINED) is mine
        for each in record["evaluation_results"]:
            assert (TRAINED in each["metric_config"]["evaluation_description"]) is mine


def test_each_metric_is_described_by_itself() -> None:
    for record in records(accuracy_table(MODELS), 0.95, "mine", VQA):
        for each in record["evaluation_results"]:
            said = each["metric_config"]["evaluation_description"]
            name = each["evaluation_name"].split(", ")[1]
            assert ("first five" in said) is (name == "top5")
            assert ("first predicted" in said) is (name == "top1")
            assert ("mean of the shares" in said) is (name == "balanced_acc")
            assert ("with the right answer" in said) is (name == "acc")


def test_what_is_not_known_is_called_so() -> None:
    table = accuracy_table({"net": 0.5})
    for end in ("", "_low", "_high"):
        table[f"top5{end}"] = np.nan
    made = results(table, EXCLUDED, 0.95, "mine")
    assert made["results"]["classification/net"][f"top5,{RULE}"] == "N/A"
    (record,) = records(table, 0.95, "mine")
    names = [each["evaluation_name"] for each in record["evaluation_results"]]
    assert names == ["classification, top1, classes", f"classification, top1, {RULE}"]
    json.dumps([made, record], allow_nan=False)


def test_records_have_what_the_schema_requires_and_intervals() -> None:
    made = records(accuracy_table(MODELS), 0.95, "mine", VQA)
    assert [each["model_info"]["name"] for each in made] == [*sorted(MODELS), "asked", "other"]
    for each in made:
        jsonschema.validate(each, RECORD)
    (of,) = (each for each in made if each["model_info"]["name"] == "resnet_50")
    scores = {each["evaluation_name"]: each["score_details"] for each in of["evaluation_results"]}
    details = scores[f"classification, top1, {RULE}"]
    assert details["score"] == 0.5
    assert details["uncertainty"] == {
        "confidence_interval": {"lower": 0.46, "upper": 0.55, "confidence_level": 0.95},
        "num_samples": 40,
    }


def test_files_are_the_same_bytes_and_say_how_they_were_made(tmp_path: Path) -> None:
    table = accuracy_table(MODELS)
    contents = {
        "results.json": results(table, EXCLUDED, 0.95, "mine"),
        "records.jsonl": records(table, 0.95, "mine"),
        "table.tex": "text\n",
    }
    for name, content in contents.items():
        written = []
        for number in range(2):
            path = tmp_path / str(number) / "export" / name
            with origin.making("export", {"level": 0.95}, "code"):
                write(path, content)
            written.append(path.read_bytes())
            said = origin.read_origin(path)
            assert said is not None and said.file == f"export/{name}"
        assert written[0] == written[1]
    for line in (tmp_path / "0" / "export" / "records.jsonl").read_text().splitlines():
        jsonschema.validate(json.loads(line), RECORD)


def test_files_say_which_models_are_left_out(tmp_path: Path) -> None:
    left = [{"model": "a_b", "rule": "classify", "why": "no memory"}]
    write(tmp_path / "table.tex", "text\n", left)
    assert (tmp_path / "table.tex").read_text() == "% Without a_b, which failed.\ntext\n"
    table = accuracy_table(MODELS)
    write(tmp_path / "results.json", results(table, EXCLUDED, 0.95, "mine"), left)
    assert json.loads((tmp_path / "results.json").read_text())["left_out"] == left
    write(tmp_path / "records.jsonl", records(table, 0.95, "mine"), left)
    for line in (tmp_path / "records.jsonl").read_text().splitlines():
        record = json.loads(line)
        assert record["eval_library"]["additional_details"] == {"left_out": "a_b"}
        jsonschema.validate(record, RECORD)


def test_pandas_reads_them(tmp_path: Path) -> None:
    write(tmp_path / "results.json", results(accuracy_table(MODELS), EXCLUDED, 0.95, "mine"))
    content = json.loads((tmp_path / "results.json").read_text())
    frame = pd.DataFrame(content["results"]).T
    assert frame.loc["classification/vit_b/16", f"top1,{RULE}"] == 0.62
    write(tmp_path / "records.jsonl", records(accuracy_table(MODELS), 0.95, "mine"))
    lines = pd.read_json(tmp_path / "records.jsonl", lines=True)
    found = pd.json_normalize(lines.to_dict("records"), "evaluation_results", ["evaluation_id"])
    assert found["score_details.uncertainty.confidence_interval.lower"].notna().all()
    assert len(found) == len(MODELS) * 4


@pytest.mark.parametrize("row", EXPORTS, ids=lambda row: f"{row.name}-{len(row.inputs)}")
def test_a_function_takes_its_tables_and_its_spec(row: object) -> None:
    assert parameters(row.function) - {*row.inputs, *KEYS[row.spec]} <= {"vqa"}  # type: ignore[attr-defined]
    assert parameters(row.function) >= {*row.inputs, *KEYS[row.spec]}  # type: ignore[attr-defined]
    assert callable(load(row.function))  # type: ignore[attr-defined]
