"""How each file of a run is to be made: programs, settings, code and inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from synthsight.canonical import canonical_json
from synthsight.doors import module_of
from synthsight.plan import asking, endpoints, learning, specs
from synthsight.plan.config.adapted import FINETUNE, LINEAR
from synthsight.plan.exports import exports_of, path_of
from synthsight.plan.files import Files
from synthsight.plan.programs import family_doors, library_door
from synthsight.plan.record import OWN, Wanted, name_of
from synthsight.plan.tables import Statistic

#: The digest of a program's code, given its name and the modules that it imports by name.
Code = Callable[..., str]

#: Makes what is wanted of a program, its spec, the digest of its code, its files and their inputs.
One = Callable[..., Iterator[Wanted]]


def wanted(files: Files, code: Code) -> Iterator[Wanted]:
    """What each file of a run should say of itself."""
    experiment = files.experiment
    run = files.run

    def one(
        program: str,
        spec: specs.Spec,
        digest: str | None,
        paths: Iterable[str],
        inputs: Iterable[str] = (),
    ) -> Iterator[Wanted]:
        yield Wanted(program, canonical_json(spec), digest, tuple(paths), tuple(inputs))

    parts = files.parts
    for path in files.manifests:
        yield from parts.wanted_manifests(code, path)
    excluded = [name_of("list_excluded", path) for path in files.excluded]
    inputs = [*(files.parts.name_of("index_images", path) for path in files.manifests), *excluded]
    spec = specs.find_sources(experiment)
    yield from one("find_sources", spec, code("find_sources"), [files.sources], inputs)
    spec, sources = specs.find_attributes(experiment), [name_of("find_sources", files.sources)]
    yield from one("find_attributes", spec, code("find_attributes"), files.said.attributes, sources)
    for geometry in files.geometries:
        pixels = [f"{run}/pixels/{geometry}/{each}.arrow" for each in experiment.categories]
        inputs = [f"index_images images/{OWN}.parquet"]
        spec = specs.prepare_pixels(experiment, geometry)
        yield from parts.wanted("prepare_pixels", spec, code, (), pixels, inputs)
    for model in files.experiment.imported:
        spec = specs.import_predictions(experiment, model)
        paths = [*files.predictions_of(model), files.note_of(model)]
        inputs = [files.parts.name_of("index_images", path) for path in files.manifests]
        yield from one("import_predictions", spec, code("import_predictions"), paths, inputs)
        inputs = [name_of("import_predictions", paths[0])]
        inputs += [name_of("find_sources", files.sources), *excluded]
        spec = specs.score(experiment, model)
        yield from one("score", spec, code("score"), [f"{run}/scores/{model}.parquet"], inputs)
    for model in sorted(experiment.loaded):
        note = files.note_of(model)
        yield from one("fetch_weights", specs.fetch_weights(experiment, model), None, [note])
    for model in sorted(experiment.embedded):
        door, features = library_door(experiment, model), files.featured.features_of(model)
        spec, inputs = specs.embed(experiment, model), _inputs_of_network(files, model)
        yield from parts.wanted("embed", spec, code, [door], features, inputs)
    yield from _learned(files, code, one)
    for model in sorted(experiment.adapted):
        yield from _adapted(files, code, one, model)
        program = _PROGRAM_OF[experiment.adapted[model].method]
        inputs = [name_of(program, path) for path in files.logits_of(model)]
        inputs += [name_of("find_sources", files.sources), *excluded]
        spec = specs.score(experiment, model)
        yield from one("score", spec, code("score"), [f"{run}/scores/{model}.parquet"], inputs)
    for model in files.networks:
        door, logits = library_door(experiment, model), files.logits_of(model)
        spec, inputs = specs.classify(experiment, model), _inputs_of_network(files, model)
        yield from parts.wanted("classify", spec, code, [door], logits, inputs)
        inputs = [parts.name_of("classify", path) for path in logits]
        inputs += [name_of("find_sources", files.sources), *excluded]
        spec = specs.score(experiment, model)
        yield from one("score", spec, code("score"), [f"{run}/scores/{model}.parquet"], inputs)
    for shard in files.shards:
        spec = asking.index_questions(experiment, shard)
        shards = [files.shard_file(shard)]
        yield from one("index_questions", spec, code("index_questions"), shards)
    for name in files.vqa_networks:
        doors = family_doors(experiment, name)
        note, answers = files.note_of(name), files.answers_of(name)
        yield from one("fetch_vqa", asking.fetch_vqa(experiment, name), None, [note])
        inputs = [name_of("fetch_vqa", note), f"index_questions questions/{OWN}.parquet"]
        yield from one("ask", asking.ask(experiment, name), code("ask", *doors), answers, inputs)
        blind = files.blind_answers_of(name)
        spec = asking.ask_blind(experiment, name)
        yield from one("ask", spec, code("ask", *doors), blind, inputs)
    for name in endpoints.names(experiment):
        answers, blind = files.answers_of(name), files.blind_answers_of(name)
        inputs, digest = [f"index_questions questions/{OWN}.parquet"], code("ask_endpoint")
        yield from one(
            "ask_endpoint", asking.ask_endpoint(experiment, name), digest, answers, inputs
        )
        spec = asking.ask_endpoint_blind(experiment, name)
        yield from one("ask_endpoint", spec, digest, blind, inputs)
        spec, digest = asking.describe_endpoint(experiment, name), code("describe_endpoint")
        inputs = [name_of("ask_endpoint", path) for path in (*answers, *blind)]
        yield from one("describe_endpoint", spec, digest, [files.note_of(name)], inputs)
    for name in experiment.vqa.imported if experiment.vqa else ():
        paths = [*files.answers_of(name), files.note_of(name)]
        inputs = [name_of("index_questions", path) for path in files.question_shards]
        spec = asking.import_answers(experiment, name)
        yield from one("import_answers", spec, code("import_answers"), paths, inputs)
    for name in files.vqa_models:
        assert experiment.vqa is not None
        answered = experiment.vqa.program_of(name)
        answers = [*files.answers_of(name), *files.blind_answers_of(name)]
        inputs = [name_of(answered, path) for path in answers]
        inputs += [name_of("index_questions", path) for path in files.question_shards]
        spec = asking.score_vqa(experiment, name)
        scores = [f"{run}/vqa/{name}.parquet"]
        yield from one("score_vqa", spec, code("score_vqa"), scores, inputs)
    if experiment.people:
        paths = [files.said.people("labels"), files.said.people("answers")]
        spec, digest = specs.import_people(experiment), code("import_people")
        yield from one("import_people", spec, digest, paths, _inputs_of_people(files))
    of_category = dict(zip(files.thumbnails, experiment.categories, strict=True))
    for thumbnails, inputs in parts.by_manifest(files.thumbnails):
        for path in thumbnails:
            spec = specs.thumbnails(experiment, of_category[path])
            yield from one("thumbnails", spec, code("thumbnails"), [path], inputs)
    spec = asking.thumbnails_vqa(experiment)
    inputs = [f"index_questions questions/{OWN}.parquet"]
    yield from one("thumbnails", spec, code("thumbnails"), files.vqa_thumbnails, inputs)
    inputs = [name_of("find_duplicates", files.table("duplicates"))]
    inputs += [files.parts.name_of("index_images", path) for path in files.manifests]
    spec, digest = specs.thumbnails_duplicates(experiment), code("thumbnails_duplicates")
    yield from one(
        "thumbnails_duplicates", spec, digest, [f"{run}/thumbnails/duplicates.parquet"], inputs
    )
    programs = {
        files.featured.parts_of(name): _PROGRAM_OF[about.method]
        for name, about in experiment.adapted.items()
    }
    for row in files.statistics:
        doors = (module_of(row.function),) if row.function else ()
        program = "tabulate" if row.function else row.rule
        spec = {} if row.spec is None else row.spec(experiment)
        tables = [path for _, ending, path in files.tables_of(row) if ending == "parquet"]
        programs |= dict.fromkeys(tables, program)
        digest = code(program, *doors)
        yield from one(program, spec, digest, tables, _inputs_of_table(files, row, programs))
    for figure in files.figure_rows:
        digest = code("plot", module_of(figure.function))
        for values, stem in figure.files_of(experiment):
            endings = experiment.settings.figures.formats
            paths = [f"{run}/figures/{stem}.{ending}" for ending in endings]
            yield from one("plot", figure.settings(experiment, *values), digest, paths)
    for export in exports_of(experiment):
        digest, paths = code("export", module_of(export.function)), [path_of(export, run)]
        yield from one("export", export.settings(experiment), digest, paths)
    yield from one("report", specs.report(experiment), code("report"), [files.report])
    pictures = f"{files.rating}/pictures.parquet"
    inputs = [name_of("find_sources", files.sources)]
    inputs += [files.parts.name_of("index_images", path) for path in files.manifests]
    spec, digest = specs.rating_pictures(experiment), code("rating_pictures")
    yield from one("rating_pictures", spec, digest, [pictures], inputs)
    spec, digest = specs.rating_page(experiment), code("rating_page")
    yield from one("rating_page", spec, digest, files.rating_pages[:1])
    if files.experiment.vqa:
        pictures = f"{files.rating}/pictures_questions.parquet"
        inputs = [name_of("index_questions", path) for path in files.question_shards]
        spec, asked = specs.rating_pictures_vqa(experiment), code("rating_pictures_vqa")
        yield from one("rating_pictures_vqa", spec, asked, [pictures], inputs)
        spec = specs.rating_page_vqa(experiment)
        yield from one("rating_page", spec, digest, files.rating_pages[1:])


def _learned(files: Files, code: Code, one: One) -> Iterator[Wanted]:
    """What is learned from features."""
    featured = files.featured
    for key, program, spec, files_of in (
        ("transfer", "train_heads", learning.train_heads, featured.heads_of),
        ("distances", "measure_distances", learning.measure_distances, featured.distances_of),
        ("map", "map_images", learning.map_images, featured.maps_of),
    ):
        for model in featured.models_of(key):
            inputs = [files.parts.name_of("embed", path) for path in featured.features_of(model)]
            inputs += [name_of("find_sources", files.sources)]
            inputs += [name_of("find_duplicates", files.table("duplicates"))]
            about = spec(files.experiment, model)
            yield from one(program, about, code(program), files_of(model), inputs)
    if featured.split:
        inputs = [files.parts.name_of("index_images", path) for path in files.manifests]
        inputs += [name_of("find_sources", files.sources)]
        inputs += [name_of("find_duplicates", files.table("duplicates"))]
        about, digest = learning.export_split(files.experiment), code("export_split")
        yield from one("export_split", about, digest, featured.split[1:], inputs)


#: The program that writes the logits of a model adapted by a method.
_PROGRAM_OF = {LINEAR: "fit_linear", FINETUNE: "join_folds"}


def _adapted(files: Files, code: Code, one: One, model: str) -> Iterator[Wanted]:
    """What is made for a model that is trained on the run's images."""
    experiment, featured = files.experiment, files.featured
    about = experiment.adapted[model]
    divided = [name_of("find_sources", files.sources)]
    divided += [name_of("find_duplicates", files.table("duplicates"))]
    made = [*files.logits_of(model), featured.parts_of(model), files.note_of(model)]
    if about.method == LINEAR:
        inputs = [files.parts.name_of("embed", path) for path in featured.features_of(about.base)]
        spec, paths = learning.fit_linear(experiment, model), [*made, featured.layers_of(model)]
        yield from one("fit_linear", spec, code("fit_linear"), paths, [*inputs, *divided])
        return
    digest = code("finetune", library_door(experiment, about.base))
    note = name_of("fetch_weights", files.note_of(about.base))
    said = []
    for fold in featured.folds_of(model):
        pixels = featured.pixels_to_train(model, fold)
        inputs = [note, *(name_of("prepare_pixels", path) for path in pixels), *divided]
        paths = featured.fold_of(model, fold)
        said += [name_of("finetune", paths[-1])]
        yield from one(
            "finetune", learning.finetune(experiment, model, fold), digest, paths, inputs
        )
    spec = learning.join_folds(experiment, model)
    inputs = [*said, name_of("find_sources", files.sources)]
    yield from one("join_folds", spec, code("join_folds"), made, inputs)


def _inputs_of_network(files: Files, model: str) -> list[str]:
    """The names of what a model's logits, and its features, are made from."""
    geometry = files.experiment.loaded[model].geometry.name
    note = name_of("fetch_weights", files.note_of(model))
    return [note, f"prepare_pixels {geometry}/{OWN}.arrow"]


def _inputs_of_people(files: Files) -> list[str]:
    """The names of what people's responses are joined to; what is not read makes no difference."""
    people = files.experiment.people
    names = []
    if people and people.labels:
        names += [files.parts.name_of("index_images", path) for path in files.manifests]
        names += [name_of("find_sources", files.sources)]
    if people and people.answers:
        names += [name_of("index_questions", path) for path in files.question_shards]
    return names


#: By the kind of a table's input, the program that makes it. Notes are no part of what tables say.
_PROGRAMS = {
    "scores": "score",
    "answers": "score_vqa",
    "manifests": "index_images",
    "labels_by_people": "import_people",
    "answers_by_people": "import_people",
    "attributes_of_images": "find_attributes",
    "heads": "train_heads",
    "heads_by_category": "train_heads",
    "distances_by_model": "measure_distances",
}


def _inputs_of_table(files: Files, row: Statistic, programs: Mapping[str, str]) -> list[str]:
    """The names of what a row's tables are made from."""
    names = []
    for kind in row.inputs.values():
        for path in files.input(kind)[1]:
            program = _PROGRAMS.get(kind) or programs.get(path)
            named = files.parts.name_of if program == "index_images" else name_of
            names += [named(program, path)] if program else []
    if row.rule in ("list_excluded", "find_duplicates"):
        names += [files.parts.name_of("index_images", path) for path in files.manifests]
    if row.rule == "list_excluded":
        names += [name_of("find_duplicates", path) for path in files.duplicates_to_exclude]
    if row.rule == "import_people":
        names += _inputs_of_people(files)
        names += [name_of("import_predictions", path) for path in files.predictions_to_exclude]
    if row.rule == "list_excluded_questions":
        names += [name_of("index_questions", path) for path in files.question_shards]
    return names
