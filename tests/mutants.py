"""Mutants of the modules that decide numbers, drawn with a fixed seed: each meets the tests that run its line.

`make mutants` finds with coverage which test runs which line, lets Cosmic Ray change one place at a time in a copy of
the project, and keeps what survived, and why it may, in outputs/mutants.json. check_checks.py breaks what somebody
thought of; nobody thought of these.
"""

import argparse
import ast
import hashlib
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from check_checks import ROOT, copy_repository
from tqdm import tqdm

DECIDING = (
    "data/augmentation.py", "data/images.py", "data/mnist.py", "data/ranges.py", "data/writers.py",
    "networks/compact.py", "networks/fast.py", "networks/final.py", "networks/layers.py", "networks/looped.py",
    "networks/receptive.py", "networks/stored.py", "networks/table.py", "networks/upright.py", "networks/views.py",
    "training/evaluation.py", "training/loop.py", "training/muon.py", "training/optimizing.py", "training/results.py",
    "training/settings.py", "training/state.py", "runs/config.py", "runs/distillation.py", "runs/hooks.py",
    "runs/whitening.py", "sweeps/comparison.py", "sweeps/study.py", "looking/answers.py", "looking/corruptions.py",
    "looking/explore.py", "looking/probe.py", "looking/schedule.py", "experiments/judge.py", "experiments/judges.py",
)  # fmt: skip
TESTS = "not training and not smoke and not cluster and not page and not site"
ROOMS = ("data", "networks", "training", "runs", "sweeps", "looking", "experiments")  # whose tests judge
SEED, DRAWN = 16, 300
LONGEST = 90.0  # seconds of tests that a mutant meets, the quickest first, as they took without it
RECORD = ROOT / "outputs" / "mutants.json"
FOUND = ROOT / "outputs" / "own" / "mutants"  # which tests run which line
REASONS = ROOT / "tests" / "survivors.toml"
DRAWING = "plot_"  # pictures decide no number
# `int | None` in an annotation is no arithmetic: each of its mutants is a crash that says nothing of the tests
NO_ARITHMETIC = "BinaryOperator_BitOr"
# a process for each mutant begins where these are loaded; the helpers are not among them
LOADED = ["torch", "torchvision", "pytest", "hypothesis", "pydantic", "scipy.stats", "sklearn.model_selection",
          "skimage.transform", "matplotlib.pyplot", "papermill", "nbformat", "tqdm"]  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One place changed: the `occurrence`-th that `operator` finds in `file`, which is on `line`."""

    file: str
    line: int
    code: str
    """What stands in that line."""
    operator: str
    occurrence: int

    def text(self, before: str) -> str:
        """Return the module's text with the change."""
        from cosmic_ray.mutating import mutate_code
        from cosmic_ray.plugins import get_operator

        return mutate_code(before, get_operator(self.operator)(), self.occurrence)


def places(file: str, text: str) -> dict[tuple[int, int], list[Mutant]]:
    """Return the mutants that each place (line, column) of a module can become; pictures decide no number."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    found: dict[tuple[int, int], list[Mutant]] = defaultdict(list)
    nodes, lines = list(ast_nodes(get_ast(text))), text.splitlines()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    drawing = {line for function in functions if function.name.startswith(DRAWING)
               for line in range(function.lineno, function.end_lineno + 1)}  # fmt: skip
    for name in sorted(operator_names()):
        kind = get_operator(name)
        if kind.arguments() or NO_ARITHMETIC in name:
            continue
        positions = [position for node in nodes for position in kind().mutation_positions(node)]
        for occurrence, (start, _) in enumerate(positions):
            if start[0] not in drawing:
                found[start].append(Mutant(file, start[0], lines[start[0] - 1].strip(), name, occurrence))
    return found


def draw(texts: dict[str, str], number: int, seed: int = SEED) -> list[Mutant]:
    """Return one mutant each of `number` places, the same ones for the same seed and code."""
    chance = random.Random(seed)
    every = [found for file, text in sorted(texts.items()) for _, found in sorted(places(file, text).items())]
    chance.shuffle(every)
    kept: list[Mutant] = []
    while every and len(kept) < number:
        mutant = chance.choice(every.pop())
        if _compiles(mutant, texts[mutant.file]):
            kept.append(mutant)
    return kept


def _compiles(mutant: Mutant, before: str) -> bool:
    """Return whether the change can be made and is Python: a crash of the tool or the compiler tests nothing."""
    try:
        compile(mutant.text(before), mutant.file, "exec")
    except (SyntaxError, AttributeError):
        return False
    return True


class Watch:
    """pytest's plugin that tells coverage whose lines are running, and keeps what each test took."""

    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.seconds: Counter[str] = Counter()
        self.red: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration
        if report.failed:
            self.red.append(report.nodeid)


def cover(copy: Path, folder: Path) -> None:
    """Run the tests in `copy`, in this process, and write which of them run which lines and what they cover."""
    from coverage import Coverage

    into(copy, folder / "log.txt")
    coverage = Coverage(data_file=str(folder / "coverage"), branch=True, source_pkgs=["mnist_helpers"])
    coverage.exclude(rf"def {DRAWING}")
    watch = Watch(coverage)
    coverage.start()
    rooms = [f"tests/{room}" for room in ROOMS]
    pytest.main(["-q", "-p", "no:cacheprovider", "-m", TESTS, *rooms], plugins=[watch])
    coverage.stop()
    coverage.save()
    tests: dict[str, dict[int, list[str]]] = {}
    covered = {}
    coverage.json_report(outfile=str(folder / "report.json"))
    report = json.loads((folder / "report.json").read_text())["files"]
    for file in DECIDING:
        tests[file] = coverage.get_data().contexts_by_lineno(str(copy / "mnist_helpers" / file))
        summary = report[f"mnist_helpers/{file}"]["summary"]
        covered[file] = {
            name: summary[name] for name in ("num_statements", "covered_lines", "num_branches", "covered_branches")
        }
    found = {"tests": tests, "covered": covered, "seconds": watch.seconds, "red": watch.red}
    (folder / "found.json").write_text(json.dumps(found))


def into(copy: Path, log: str | Path = os.devnull) -> None:
    """Make this process, and those that it starts, use the helpers of `copy`; what it says goes to `log`."""
    os.setsid()
    os.chdir(copy)
    sys.path[:0] = [str(copy), str(copy / "tests")]
    os.environ["PYTHONPATH"] = str(copy)
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    # pytest warns of plugins that were loaded before it, and a warning is an error here
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for stream in (1, 2):
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT), stream)


def meet(copy: Path, tests: Sequence[str]) -> None:
    """Run these tests in this process until one is red, and end it with pytest's status."""
    into(copy)
    os._exit(int(pytest.main(["-q", "-x", "--tb=no", "-p", "no:cacheprovider", *tests])))


def apart(function, *arguments, seconds: float | None = None) -> int | None:
    """Run a function in a process of its own and return its exit status, None if it had to be killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    process = context.Process(target=function, args=arguments)
    process.start()
    process.join(seconds)
    status = process.exitcode
    if status is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
    return status


def meeting(mutant: Mutant, text: str, found: dict) -> list[str]:
    """Return the tests that run the mutant's statement; where it runs on import alone, those of the whole module."""
    lines = {int(line): tests for line, tests in found["tests"][mutant.file].items()}
    statements = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)]
    spans = [range(node.lineno, _head(node) + 1) for node in statements]
    around = min(
        (span for span in spans if mutant.line in span), key=len, default=range(mutant.line, mutant.line + 1)
    )
    tests = {test for line in around for test in lines.get(line, ())} - {""}
    tests = tests or {test for line in lines for test in lines[line]} - {""}
    tests -= set(found["red"])
    kept, seconds = [], 0.0
    for test in sorted(tests, key=lambda test: (found["seconds"].get(test, 0.0), test)):
        seconds += found["seconds"].get(test, 0.0)
        if kept and seconds > LONGEST:
            break
        kept.append(test)
    return kept


def _head(node: ast.stmt) -> int:
    """Return the last line of a statement, of one that holds others the last before these."""
    body = getattr(node, "body", None)
    return max(node.lineno, body[0].lineno - 1) if body else node.end_lineno


def coverage_of(source: Path, folder: Path) -> dict:
    """Return what `cover` finds; from `folder`, if no helper or test has changed since it was written there."""
    files = sorted([*source.glob("mnist_helpers/**/*.py"), *source.glob("tests/**/*.py")])
    code = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    kept = folder / code[:16]
    if not (kept / "found.json").is_file():
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as place:
            copy = Path(place).resolve() / "repository"
            copy_repository(source, copy)
            apart(cover, copy, kept)
    found = json.loads((kept / "found.json").read_text())
    for test in found["red"]:
        print(f"red before anything is changed, so it judges nothing: {test}")
    return found


def survivors(mutants: Sequence[Mutant], source: Path, found: dict, workers: int) -> list[Mutant]:
    """Return the mutants that no test notices; SystemExit: the tests are red in the copies without one."""
    copies: SimpleQueue[Path] = SimpleQueue()

    def survives(mutant: Mutant | None, bar: tqdm) -> bool:
        copy = copies.get()
        file = copy / "mnist_helpers" / (mutant or mutants[0]).file
        before = file.read_text(encoding="utf-8")
        tests = meeting(mutant or mutants[0], before, found)
        if mutant:
            file.write_text(mutant.text(before), encoding="utf-8")
        limit = 60 + 5 * sum(found["seconds"].get(test, 0.0) for test in tests)
        status = apart(meet, copy, tests, seconds=limit) if tests else 0
        file.write_text(before, encoding="utf-8")
        copies.put(copy)
        if mutant and status == 0:
            bar.write(f"SURVIVED {mutant.file}:{mutant.line} {mutant.operator} ({len(tests)} tests)  {mutant.code}")
        bar.update()
        return status == 0

    with tempfile.TemporaryDirectory() as place, tqdm(total=len(mutants) + workers, unit="mutant") as bar:
        for number in range(workers):
            copies.put(copy := Path(place).resolve() / str(number) / "repository")
            copy_repository(source, copy)
        if not all(survives(None, bar) for _ in range(workers)):
            raise SystemExit("red before anything is changed: the copies do not work")
        with ThreadPoolExecutor(workers) as pool:
            alive = list(pool.map(lambda mutant: survives(mutant, bar), mutants))
    return [mutant for mutant, lives in zip(mutants, alive, strict=True) if lives]


def reason(mutant: Mutant) -> str | None:
    """Return why this one may survive, as tests/survivors.toml says; None: nobody has looked at it."""
    listed = tomllib.loads(REASONS.read_text(encoding="utf-8")).get("survivor", [])
    known = [one["why"] for one in listed if (one["file"], one["code"]) == (mutant.file, mutant.code)
             and one["operator"] in mutant.operator]  # fmt: skip
    return known[0] if known else None


def _place(mutant: dict[str, Any]) -> tuple[str, str, str, int]:
    return mutant["file"], mutant["code"], mutant["operator"], mutant["occurrence"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, change, test and count; return 1 unless nine tenths are killed and somebody has looked at the others."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=int, default=DRAWN, help="how many; other than %(default)s: writes nothing")
    parser.add_argument("--again", action="store_true", help="only those that survived on record, after new tests")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    os.environ["OMP_NUM_THREADS"] = "1"
    texts = {file: (ROOT / "mnist_helpers" / file).read_text(encoding="utf-8") for file in DECIDING}
    mutants = draw(texts, options.drawn)
    started = time.monotonic()
    found = coverage_of(ROOT, FOUND)
    tried = mutants
    if options.again:
        # the same place in a module whose lines have moved since
        kept = Counter(map(_place, json.loads(RECORD.read_text(encoding="utf-8"))["survivors"]))
        tried = [mutant for mutant in mutants if _place(asdict(mutant)) in kept]
        if Counter(_place(asdict(mutant)) for mutant in tried) != kept:
            raise SystemExit("a place that survived is no longer drawn; without --again all are tried")
    alive = survivors(tried, ROOT, found, options.workers)
    total = Counter()
    for covered in found["covered"].values():
        total.update(covered)
    killed = 1 - len(alive) / len(mutants)
    record = {
        "seed": SEED,
        "drawn": len(mutants),
        "killed": len(mutants) - len(alive),
        "lines": round(total["covered_lines"] / total["num_statements"], 4),
        "branches": round(total["covered_branches"] / total["num_branches"], 4),
        "modules": {file: {"drawn": sum(mutant.file == file for mutant in mutants), **found["covered"][file]}
                    for file in DECIDING},
        "survivors": [asdict(mutant) | {"why": reason(mutant)} for mutant in alive],
    }  # fmt: skip
    print(f"{record['killed']} of {record['drawn']} killed ({killed:.1%}), branches {record['branches']:.1%}, "
          f"{time.monotonic() - started:.0f} s")  # fmt: skip
    if options.drawn == DRAWN:
        from mnist_helpers.records import seal

        RECORD.write_text(seal(json.dumps(record, indent=1, ensure_ascii=False)), encoding="utf-8")
    unseen = [mutant for mutant in alive if reason(mutant) is None]
    for mutant in unseen:
        print(f"nobody has looked at {mutant.file}:{mutant.line} {mutant.operator}: {mutant.code}")
    return int(killed < 0.9 or bool(unseen))


if __name__ == "__main__":
    sys.exit(main())
