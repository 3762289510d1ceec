"""The notebooks as files: fit to be read on GitHub, run anywhere, and compared by nbval."""

import json
import re
import subprocess
import sys

import nbformat
import pytest

from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import PUBLISHED, RunConfig, make_config, read_results
from mnist_helpers.sweeps import read_study

NOTEBOOKS = sorted((PROJECT_ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
EXECUTED = [
    path
    for folder in (PROJECT_ROOT / "notebooks", PROJECT_ROOT / "notebooks" / "solutions", PROJECT_ROOT / PUBLISHED)
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))
]
WIDEST = 88  # characters that GitHub shows in an output without a bar to scroll
MOST_BYTES = 1_000_000
LIVE = "epochs train_size max_lr seed"
PARAMETERS = {
    "02_baseline": LIVE,
    "03_skeleton": LIVE,
    "04_batchnorm_and_dropout": LIVE,
    "05_learning_rate": LIVE,
    "06_augmentation": LIVE,
    "09_when_it_does_not_learn": LIVE,
    "12_faster": "seed train_size",
    "13_smaller_and_better": "seed epochs train_size",
    "07_final_model": "model epochs batch_size max_lr weight_decay precision seed train_size validation_size "
    "data_dir output_dir resume device",
}


def name(path):
    return str(path.relative_to(PROJECT_ROOT))


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def problems(notebook) -> list[str]:
    """What a reader or nbval would stumble over."""
    found = []
    if notebook.metadata.kernelspec.name != "python3":
        found.append(f"kernel {notebook.metadata.kernelspec.name}")
    if "widgets" in notebook.metadata:
        found.append("metadata.widgets, which GitHub refuses to render")
    if any(re.match(r"/|[A-Z]:", str(value)) for value in notebook.metadata.get("papermill", {}).values()):
        found.append("metadata.papermill with an absolute path")
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        found.append(f"execution counts {counts}")
    for number, cell in enumerate(code_cells(notebook), 1):
        # drawn only when there is something to draw: `if study:`
        promised = "figure = " in cell.source and not cell.source.startswith("if ")
        if promised and not any("image/png" in output.get("data", {}) for output in cell.outputs):
            found.append(f"cell {number} shows no figure")
        for output in cell.outputs:
            text = json.dumps(output)
            if output.output_type == "error":
                found.append(f"cell {number} ends in {output.ename}")
            if output.get("name") == "stderr":
                found.append(f"cell {number} has stderr")
            if max(map(len, output.get("text", "").splitlines()), default=0) > WIDEST:
                found.append(f"cell {number} prints lines that scroll")
            if "widget-view" in text:
                found.append(f"cell {number} has a widget")
            if re.search(r"(?<![\w.])/(?:root|home|Users|tmp|work|mnt)/\w", text):
                found.append(f"cell {number} shows an absolute path")
    return found


@pytest.mark.parametrize("path", EXECUTED, ids=name)
def test_a_notebook_is_fit_to_be_read(path):
    assert path.stat().st_size < MOST_BYTES
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert problems(notebook) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_links_into_the_repository_resolve(path):
    prose = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)#]+)\)", prose):
        if "://" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize(("stem", "names"), PARAMETERS.items())
def test_the_parameters_cell_is_where_papermill_looks(stem, names):
    notebook = nbformat.read(PROJECT_ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    lines = [re.fullmatch(r"(\w+): (\w+) = (.+?)  # (.+)", line) for line in cell.source.splitlines()]
    assert all(lines), "every parameter is typed and commented"
    assert [line.group(1) for line in lines] == names.split()
    defaults = {line.group(1): eval(line.group(3)) for line in lines}
    config = make_config(**defaults)
    if stem == "07_final_model":
        assert config == RunConfig()


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda nb: code_cells(nb)[2].update(execution_count=None), "execution counts"),
        (lambda nb: nb.metadata.update(widgets={}), "metadata.widgets"),
        (lambda nb: nb.metadata.papermill.update(input_path="/home/me/07.ipynb"), "metadata.papermill"),
        (lambda nb: [cell.update(outputs=[]) for cell in code_cells(nb)], "shows no figure"),
        (lambda nb: nb.metadata.kernelspec.update(name="venv"), "kernel venv"),
        (
            lambda nb: code_cells(nb)[0].outputs.append(nbformat.v4.new_output("stream", name="stderr", text="!")),
            "stderr",
        ),
        (
            lambda nb: code_cells(nb)[0].outputs.append(nbformat.v4.new_output("error", ename="KeyError")),
            "ends in KeyError",
        ),
        (
            lambda nb: code_cells(nb)[0].outputs.append(nbformat.v4.new_output("stream", text="at /home/me/x")),
            "absolute path",
        ),
        (
            lambda nb: code_cells(nb)[0].outputs.append(nbformat.v4.new_output("stream", text="-" * 89)),
            "scroll",
        ),
    ],
)
def test_the_gate_can_close(damage, complaint):
    notebook = nbformat.read(PROJECT_ROOT / "notebooks" / "07_final_model.ipynb", as_version=4)
    damage(notebook)
    assert any(complaint in problem for problem in problems(notebook))


def test_the_notebooks_are_numbered_from_one_and_the_readme_lists_each():
    readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    assert [int(path.name[:2]) for path in NOTEBOOKS] == list(range(1, len(NOTEBOOKS) + 1))
    for path in NOTEBOOKS:
        assert f"](notebooks/{path.name})" in readme


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_a_notebook_has_the_shape_of_the_course(path):
    """Question and time first; at the end where we are, and three exercises."""
    cells = nbformat.read(path, as_version=4).cells
    first, last = cells[0].source, cells[-1].source
    assert re.match(rf"# {path.name[:2]} · .+\n\n\*\*.+\?\*\*", first)
    for part in ("At the end you will", "- Needs: ", "- Takes: "):
        assert part in first
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    assert any("## Where we are" in text for text in prose)
    assert re.findall(r"^\d\.", last[last.index("## Exercises") :], re.MULTILINE) == ["1.", "2.", "3."]


def test_the_committed_run_is_the_one_in_results_json():
    """The executed notebook, its papermill product and the record tell the same story.

    The goal is held against the mean over seeds (test_study.py); one run must only lie where such runs lie.
    """
    results = read_results()
    assert results.config.training_differences(RunConfig()) == []
    assert results.total_epochs == len(results.history) == 15
    assert results.total_parameters == 18_982
    assert results.final_test_accuracy == results.history[-1].test_accuracy
    accuracy = read_study("final").test_accuracy
    assert abs(results.final_test_accuracy - accuracy.mean) < 0.0025
    lines = [f"test accuracy after epoch 15: {results.final_test_accuracy:.2%}"]
    lines += [f"{r.test_loss:.4f} {r.test_accuracy:7.2%}" for r in results.history]
    for folder in ("notebooks", PUBLISHED):
        text = (PROJECT_ROOT / folder / "07_final_model.ipynb").read_text(encoding="utf-8")
        for line in lines:
            assert line in text, f"{folder}: {line}"


def test_sources_and_notebooks_are_linted_and_formatted():
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."], cwd=PROJECT_ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_a_notebook_takes_names_from_rooms_and_never_from_files_deep_inside(path):
    for cell in code_cells(nbformat.read(path, as_version=4)):
        for module in re.findall(r"^(?:from|import) (mnist_helpers[\w.]*)", cell.source, re.MULTILINE):
            assert re.fullmatch(r"mnist_helpers(\.\w+)?", module), f"{path.name} imports {module}"
        assert "globals()" not in cell.source


@pytest.mark.smoke
@pytest.mark.parametrize("stem", ["02_baseline", "07_final_model"])
def test_the_settings_of_a_notebook_run_as_a_script_too(stem, tmp_path):
    """As `jupyter nbconvert --to script` writes it: no kernel, no `In`."""
    cells = code_cells(nbformat.read(PROJECT_ROOT / "notebooks" / f"{stem}.ipynb", as_version=4))
    settings = [cell.source for cell in cells if cell.id != "colab"][:2]
    source = "\n\n".join(settings) + "\nprint(config.model)\n"
    (tmp_path / "script.py").write_text(source, encoding="utf-8")
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == stem.split("_")[1]
