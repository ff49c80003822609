"""Images whose times have changed but whose bytes have not.

A category is indexed again if the listing of its files changes: names, sizes and times. Files that
were touched, copied or unzipped anew change it without being others. Then what the manifest knows
of each file is compared with the files, and if all is the same, the listing that the manifest was
made from stays the one that counts. Likewise for the questions of a shard.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from synthsight.canonical import canonical_json
from synthsight.files import FileError, keep
from synthsight.images.manifest import images_of, read_manifest
from synthsight.images.reading import UnusableImageError, open_file, read_file
from synthsight.images.roots import Roots
from synthsight.images.rows import INDEXED, read_kept_rows
from synthsight.origin import Origin, read_origin
from synthsight.plan import asking, specs
from synthsight.plan.config.categories import Category
from synthsight.plan.experiment import Experiment
from synthsight.plan.files import Files
from synthsight.vqa.question import Question
from synthsight.vqa.shards import number_questions, read_shard


def recall(experiment: Experiment, cache: Path) -> Experiment:
    """The experiment with the digests that its results were made from, where these still hold.

    Args:
        experiment: as read from the configuration and the folders.
        cache: folder of caches: what was found to be the same is not read again.
    """
    if experiment.pending:
        return experiment
    files, known = Files(experiment), _Known(cache / f"recalled-{experiment.settings.run}.json")
    settings, vqa = experiment.settings.images, experiment.vqa
    categories = dict(experiment.categories)
    for name, about in categories.items():

        def recalled(path: str, spec: specs.Spec, about: Category = about) -> str:
            return known.recalled(
                *(path, "index_images", spec, "listing"),
                lambda: _same_files(path, spec, about, experiment.roots, cache),
            )

        manifest, listing = files.manifest_of(name), about.listing
        if listing.parts:
            parts = []
            for part in listing.parts:
                path, about_part = files.parts.path(manifest, part.name), (name, part.name)
                digest = recalled(path, files.parts.index_part(*about_part))
                parts.append(replace(part, listing=digest))
            listing = replace(listing, parts=tuple(parts))
        else:
            digest = recalled(manifest, specs.index_images(experiment, name))
            listing = replace(listing, digest=digest)
        categories[name] = replace(about, listing=listing)
    if vqa is not None:
        shards = {}
        for shard, asked in vqa.questions.items():
            path, spec = files.shard_file(shard), asking.index_questions(experiment, shard)
            shards[shard] = known.recalled(
                *(path, "index_questions", spec, "content"),
                lambda path=path, asked=asked: _same_questions(  # type: ignore[misc]
                    path, asked, Path(vqa.root), settings.max_pixels
                ),
            )
        vqa = replace(vqa, shards=shards)
    known.save()
    return replace(experiment, categories=categories, vqa=vqa)


class _Known:
    """What was found to be the same, kept for the next start: by file, two digests of a listing.

    Args:
        kept: a JSON file.
    """

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._known: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            content = json.loads(kept.read_text(encoding="utf-8"))
            self._known = content if isinstance(content, dict) else {}
        self._seen: dict[str, Any] = {}

    def recalled(
        self, path: str, program: str, spec: Mapping[str, Any], key: str, same: Callable[[], bool]
    ) -> str:
        """The value of ``key`` in a spec, or in that of its file if both stand for the same bytes.

        Args:
            path: the file.
            program: that makes it.
            spec: what is wanted.
            key: of the digest.
            same: whether the bytes behind the file are those behind the spec; asked only if nothing
                else differs.
        """
        now = str(spec[key])
        origin = read_origin(path)
        if not isinstance(origin, Origin) or origin.program != program:
            return now
        then = json.loads(origin.spec).get(key)
        if then == now or canonical_json({**spec, key: then}) != origin.spec:
            return now
        if self._known.get(path) != [now, then]:
            try:
                if not same():
                    return now
            except (FileError, OSError):
                return now
        self._seen[path] = [now, then]
        return str(then)

    def save(self) -> None:
        """Keep what still holds."""
        if self._seen != self._known:
            keep(self._kept, json.dumps(self._seen))


def _same_files(path: str, spec: specs.Spec, about: Category, root: Roots, cache: Path) -> bool:
    """Whether the files of a category, or of a part of it, are those of its manifest."""
    stated = {record.image: record.sha256 for record in read_manifest(path)}
    if about.rows is not None:  # the spec has a digest of them
        rows = read_kept_rows(cache, spec["rows"], INDEXED).to_pydict()
        for image, reason in zip(rows["image"], rows["reason"], strict=True):
            if reason is not None:
                del stated[image]
        return _unchanged(root, stated, spec["max_pixels"])
    names = set(images_of(root, about.folders, spec.get("part")))
    return names == stated.keys() and _unchanged(root, stated, spec["max_pixels"])


def _same_questions(path: str, asked: Sequence[Question], root: Path, max_pixels: int) -> bool:
    """Whether a shard's questions and images are those in its file."""
    rows = read_shard(path)
    stated = [astuple(replace(row, sha256=None, status="", reason=None)) for row in rows]
    wanted = [
        (number, q.image, q.question, q.answer, q.generator, q.objects, None, "", None)
        for number, q in number_questions(asked)
    ]
    return stated == wanted and _unchanged(root, {r.image: r.sha256 for r in rows}, max_pixels)


def _unchanged(root: Path | Roots, stated: Mapping[str, str | None], max_pixels: int) -> bool:
    """Whether the bytes of all files have these digests; the first that differs decides."""
    return all(digest == _digest(root, image, max_pixels) for image, digest in stated.items())


def _digest(root: Path | Roots, image: str, max_pixels: int) -> str:
    with suppress(UnusableImageError, OSError), open_file(root, image) as handle:
        return hashlib.sha256(read_file(handle, max_pixels)).hexdigest()
    return ""
