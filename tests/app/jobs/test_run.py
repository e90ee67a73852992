"""A job that is killed goes on with the parts that are not written: nothing is lost, doubled or mixed in."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet
from pyarrow.fs import LocalFileSystem

from serve_app.jobs import parts, plan
from serve_app.jobs.errors import JobError
from serve_app.jobs.places import Place, place
from serve_app.jobs.plan import Partition
from serve_app.jobs.run import PROGRESS, Answer, run
from serve_app.settings.errors import SettingsError
from serve_app.settings.job import JobSettings

MODEL = {
    "model_id": "m",
    "source": "hf://org/m",
    "accelerator": {"class": "cpu"},
    "versions": {"ray": "1", "vllm": "1"},
}
ARGS = {
    "job_id": "reviews",
    "model": MODEL,
    "input": "pvc://data/in",
    "output": "pvc://data/out",
    "column": "text",
    "partition_rows": 10,
    "batch_size": 4,
    "min_replicas": 1,
    "max_replicas": 2,
}


class KilledError(Exception):
    pass


class Engine:
    """Answers rows backwards and some twice, as after a lost worker; it may be killed."""

    def __init__(self, source: Place, killed_after: int | None = None) -> None:
        self.source = source
        self.left = killed_after
        self.asked: list[str] = []

    def __call__(self, found: list[Partition]) -> Iterator[Answer]:
        for partition in found:
            self.asked.append(partition.part)
            rows = list(enumerate(parts.read(self.source, partition)))
            for number, row in [*reversed(rows), *rows[:2]]:
                if self.left is not None and (left := self.left) <= 0:
                    raise KilledError(left)
                self.left = None if self.left is None else self.left - 1
                text, problem = parts.question(row, "text", chat=False)
                yield Answer(partition.part, number, {**row, "answer": text and text.upper()}, bool(problem))


class Files:
    """A job's input and output."""

    def __init__(self, folder: Path) -> None:
        self.source, self.target = (Place(LocalFileSystem(), str(folder / name)) for name in ("in", "out"))
        self.folder = folder
        self.said: list[str] = []
        (folder / "in").mkdir()

    def lines(self, name: str, count: int, start: int = 0) -> None:
        rows = [json.dumps({"id": number, "text": f"Zeile {number} äß"}) for number in range(start, start + count)]
        (self.folder / "in" / name).parent.mkdir(exist_ok=True)
        (self.folder / "in" / name).write_text("\n".join(rows) + "\n\n")

    def run(self, killed_after: int | None = None, **more: Any) -> Engine:
        engine = Engine(self.source, killed_after)
        run(JobSettings.parse(json.dumps({**ARGS, **more})), self.source, self.target, engine, self.said.append)
        return engine

    def written(self) -> list[dict[str, Any]]:
        found = sorted((self.folder / "out").rglob("part-*.jsonl"))
        return [json.loads(line) for file in found for line in file.read_text().splitlines()]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.mark.parametrize("killed_after", [0, 5, 12, 30, 71])
def test_a_job_that_is_killed_goes_on_where_it_was(files: Files, killed_after: int) -> None:
    files.lines("a.jsonl", 25)
    files.lines("more/b.jsonl", 38, start=25)
    with pytest.raises(KilledError):
        files.run(killed_after)
    before = plan.done(files.target)
    engine = files.run()
    assert not before & set(engine.asked), "what is written is not asked again"
    assert len(before) + len(engine.asked) == 7
    rows = files.written()
    assert [row["id"] for row in rows] == list(range(63)), "each once, in the order of the input"
    assert all(row["answer"] == row["text"].upper() for row in rows)
    assert files.run().asked == [], "a third run has nothing to do"
    progress = json.loads((files.folder / "out" / PROGRESS).read_text())
    assert (progress["parts"], progress["parts_done"], progress["rows_done"]) == (7, 7, 63)
    assert files.said[-1].startswith("job reviews: 7/7 parts, 63/63 rows, 0 failed")


def test_new_input_is_taken_in_beside_the_old(files: Files) -> None:
    files.lines("a.jsonl", 10)
    files.run()
    files.lines("b.jsonl", 5, start=10)
    assert files.run().asked == ["b.jsonl/part-00000.jsonl"]
    assert [row["id"] for row in files.written()] == list(range(15))


def test_parts_of_something_else_are_not_mixed_in(files: Files) -> None:
    files.lines("a.jsonl", 10)
    files.run()
    for more, says in (
        ({"sampling": {"max_tokens": 5}}, "by another question or model"),
        ({"partition_rows": 5}, "by other partitionRows"),
    ):
        with pytest.raises(JobError, match=says):
            files.run(**more)
    files.lines("a.jsonl", 11)
    with pytest.raises(JobError, match=r"parts of a.jsonl by another version, give the job another output"):
        files.run()


def test_a_part_is_there_whole_or_not_at_all(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError("no space left")

    files.lines("a.jsonl", 10)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        files.run()
    assert plan.done(files.target) == set()


def test_parquet_in_and_out(files: Files) -> None:
    table = pyarrow.table({"id": list(range(25)), "text": [f"row {number}" for number in range(25)]})
    parquet.write_table(table, files.folder / "in" / "a.parquet", row_group_size=8)
    files.run(output_format="parquet")
    found = sorted((files.folder / "out").rglob("part-*.parquet"))
    assert [parquet.read_metadata(file).num_rows for file in found] == [16, 9]
    rows = [row for file in found for row in parquet.read_table(file).to_pylist()]
    assert rows == [{"id": number, "text": f"row {number}", "answer": f"ROW {number}"} for number in range(25)]


def test_columns_that_parquet_has_no_type_for() -> None:
    rows: list[dict[str, Any]] = [{"a": 1}, {"a": "x", "b": [1, 2]}]
    (table,) = [parquet.read_table(BytesIO(parts.encoded(rows, "parquet")))]
    assert table.to_pylist() == [{"a": "1", "b": None}, {"a": '"x"', "b": [1, 2]}]


def test_lines_are_cut_where_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_PIECE", 3)
    content = b'{"a":1}\n\n{"a":22}\n{"a":3}'
    cut = plan.lines(BytesIO(content), 2)
    assert cut == [(0, 18, 2), (18, 25, 1)]
    assert [content[start:end] for start, end, _ in cut] == [b'{"a":1}\n\n{"a":22}\n', b'{"a":3}']


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_PIECE", 1 << 10)
    monkeypatch.setattr(plan, "_LONGEST_LINE", 1 << 20)
    with pytest.raises(JobError, match="a line after byte 3 is longer than 1 MiB, split it"):
        plan.lines(BytesIO(b"{}\n" + b"x" * (1 << 21)), 2)


@pytest.mark.parametrize(
    ("row", "chat", "asked", "problem"),
    [
        ({"text": "x"}, False, "x", ""),
        ({"text": "x"}, True, [{"role": "user", "content": "x"}], ""),
        ({"text": [{"role": "user", "content": "x"}]}, True, [{"role": "user", "content": "x"}], ""),
        ({"text": ["x"]}, True, None, "text is no text, and no list of messages"),
        ({"text": [{"role": "user"}]}, False, None, "text is no text"),
        ({}, False, None, "text is no text"),
        ({"text": ""}, False, None, "text is no text"),
    ],
)
def test_what_a_row_asks(row: dict[str, Any], chat: bool, asked: Any, problem: str) -> None:
    assert parts.question(row, "text", chat=chat) == (asked, problem)


def test_an_input_without_files_is_told(files: Files) -> None:
    (files.folder / "in" / "readme.txt").write_text("no rows")
    with pytest.raises(JobError, match=r"pvc://data/in has no file that ends in \.jsonl"):
        files.run()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"input": "/etc"}, "input"),
        ({"model": {**MODEL, "task": "score"}}, "use one with task generate or embed"),
        ({"min_replicas": 3}, "more than max_replicas"),
        ({"rows": 1}, "rows"),
    ],
)
def test_settings_that_cannot_work(more: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        JobSettings.parse(json.dumps({**ARGS, **more}))


def test_a_claim_is_where_the_chart_mounts_it() -> None:
    assert place("pvc://data/in/").path("a.jsonl") == "/mnt/jobs/data/in/a.jsonl"
