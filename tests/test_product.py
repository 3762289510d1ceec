"""An executed notebook lands beside the results of its own run."""

import nbformat
import pytest

from mnist_helpers import config
from mnist_helpers.paths import resolve
from mnist_helpers.product import file_product


@pytest.mark.parametrize(
    ("parameters", "folder"),
    [
        ({}, "published"),
        ({"resume": True}, "published"),
        ({"seed": 0}, "published"),
        ({"seed": 1}, "trial"),
        ({"epochs": 2, "resume": True}, "trial"),
    ],
)
def test_a_product_goes_where_its_run_wrote(parameters, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(config, "PUBLISHED_FOLDER", str(tmp_path / "published"))
    monkeypatch.setattr(config, "TRIAL_FOLDER", str(tmp_path / "trial"))
    product = tmp_path / "running.ipynb"
    nbformat.write(nbformat.v4.new_notebook(metadata={"papermill": {"parameters": parameters}}), product)
    assert file_product(product, "07.ipynb") == resolve(tmp_path / folder)
    assert (tmp_path / folder / "07.ipynb").exists()
    assert not product.exists()
