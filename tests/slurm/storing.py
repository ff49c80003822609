"""Runs whose files are in an S3-compatible store: ``make test-cluster``.

The server is moto's, on loopback. Jobs run in empty folders, and share nothing with Snakemake but
the store, as on Kubernetes or in a cloud.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from synthsight.archives.download import download
from tests.slurm import batch_queue
from tests.slurm.cluster import PLUGIN, REPOSITORY, snakemake
from tests.support import Project

#: What ``tests/slurm/install.sh`` brings: the plugin for S3, and the server.
STORAGE = REPOSITORY / ".venv" / "storage"

APART = REPOSITORY / "tests" / "slurm" / "apart"

PREFIX = "s3://synthsight/runs"

#: Starts a server, says where it is, and ends when nobody listens any more.
SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Store:
    """A store, empty at first.

    Attributes:
        url: where the server is.
        environment: variables by which it is found and used.
        client: of the server, boto3's.
    """

    url: str
    environment: dict[str, str]
    client: Any

    def put(self, folder: Path, *names: str) -> None:
        """Bring files of a project, and all in its folders, into the store."""
        for name in names:
            path = folder / name
            for file in [path] if path.is_file() else path.rglob("*"):
                if file.is_file():
                    key = f"runs/{file.relative_to(folder).as_posix()}"
                    self.client.upload_file(str(file), "synthsight", key)

    def get(self, prefix: str) -> dict[str, bytes]:
        """The files below a folder of the project, by their names there."""
        pages = self.client.get_paginator("list_objects_v2")
        found = {}
        for page in pages.paginate(Bucket="synthsight", Prefix=f"runs/{prefix}/"):
            for item in page.get("Contents", []):
                body = self.client.get_object(Bucket="synthsight", Key=item["Key"])["Body"]
                found[item["Key"].removeprefix(f"runs/{prefix}/")] = body.read()
        return found


@contextmanager
def running() -> Iterator[Store]:
    """A server with a bucket."""
    keys = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "secret of tests"}
    packages = f"{APART}:{PLUGIN}:{STORAGE}"
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env={**os.environ, "PYTHONPATH": str(STORAGE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        url = next(line.strip() for line in server.stdout if line.startswith("http"))
        sys.path.append(str(STORAGE))
        try:
            import boto3
        finally:
            sys.path.remove(str(STORAGE))
        client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        )
        client.create_bucket(Bucket="synthsight")
        endpoint = {"SNAKEMAKE_STORAGE_S3_ENDPOINT_URL": url}
        yield Store(url, {**keys, **endpoint, "PYTHONPATH": packages}, client)
        server.stdin.close()


def without_sources(tables: dict[str, bytes]) -> dict[str, object]:
    """The CSV tables; of models without where a checkpoint was, which is in the store."""
    found: dict[str, object] = {}
    for name, content in tables.items():
        if name == "models.csv":
            rows = [*csv.DictReader(io.StringIO(content.decode()))]
            found[name] = [{**row, "source": ""} for row in rows]
        elif name.endswith(".csv"):
            found[name] = content
    return found


def made_for_tests() -> str:
    """The profile for Kubernetes for the executor here: without the keys of its own plugin."""
    file = REPOSITORY / "profiles" / "kubernetes" / "profile.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    kept = {key: value for key, value in content.items() if not key.startswith("kubernetes-")}
    assert len(kept) < len(content)
    return yaml.safe_dump({**kept, "executor": "apart", "default-storage-prefix": PREFIX})


def test_jobs_that_share_a_store_alone_make_the_same_tables(
    project: Project, tmp_path: Path
) -> None:
    assert STORAGE.is_dir(), "no S3: run tests/slurm/install.sh"
    local = {file.name: file.read_bytes() for file in (project.results / "tables").iterdir()}
    for made in ("results", "resources/weights", ".snakemake"):
        shutil.rmtree(project.folder / made)
    # What the containers' image holds.
    shutil.copytree(project.folder, tmp_path / "image")
    folder = project.folder / "profiles" / "apart"
    folder.mkdir()
    (folder / "profile.yaml").write_text(made_for_tests(), encoding="utf-8")
    commands = batch_queue.install(tmp_path / "queue")
    path = f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    with running() as store:
        store.put(project.folder, "checkpoints", "labels.txt", "questions.csv")

        def run(*arguments: str) -> str:
            completed = snakemake(
                project.folder,
                *("tables", "--seconds-between-status-checks", "1", *arguments),
                *("--apart-submit-cmd", "qsub -terse", "--apart-cancel-cmd", "qdel"),
                *("--apart-status-cmd", "profiles/cluster-generic/status"),
                *("--precommand", f"cp -r {tmp_path / 'image'}/. ."),
                path=path,
                environment=store.environment,
                profile="apart",
            )
            said = completed.stdout + completed.stderr
            assert completed.returncode == 0, said
            return said

        run()
        assert without_sources(store.get("results/small/tables")) == without_sources(local)
        assert "Nothing to be done" in run("--dry-run")
        assert {"effnet.safetensors", "resnet.safetensors"} <= {*store.get("resources/weights")}

    # Nothing but the plan and logs is left where Snakemake runs, and no secret.
    assert not (project.results / "tables").exists()
    for file in project.folder.rglob("*"):
        assert not file.is_file() or b"secret of tests" not in file.read_bytes(), file
    assert len(batch_queue.history(tmp_path / "queue")) == 2 * (1 + 4 + 1)


def test_an_archive_in_a_store_is_fetched_by_a_signed_address_and_resumed(tmp_path: Path) -> None:
    content = bytes(range(256)) * 40_000
    part, said = tmp_path / "archive", list[str]()

    def signed(seconds: int) -> str:
        key = {"Bucket": "synthsight", "Key": "images.zip"}
        address = store.client.generate_presigned_url("get_object", key, ExpiresIn=seconds)
        return str(address)

    with running() as store:
        store.client.put_object(Bucket="synthsight", Key="images.zip", Body=content)
        address = signed(3600)
        download(address, part, False, said.append)
        assert part.read_bytes() == content
        about = part.with_name("archive.json")
        for url, resumed in ((address, True), (signed(7200), False)):
            part.write_bytes(content[:1_000_000])
            download(url, part, True, said.append)
            assert part.read_bytes() == content
            assert ("already here" in said[-1]) == resumed
        assert "Signature" not in about.read_text(encoding="utf-8")
