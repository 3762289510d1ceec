"""What a run leaves is one piece: figures that contradict each other are refused, in words that name them."""

import pytest

from mnist_helpers.runs import RunResults, read_results
from mnist_helpers.training import Settings, format_results


@pytest.fixture(scope="module")
def whole() -> dict:
    return read_results().model_dump(mode="json")


def test_the_published_run_is_of_one_piece(whole):
    assert RunResults.model_validate(whole) == read_results()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"history": [], "total_epochs": 0}, "history is not of the epochs 1 to 0"),
        ({"total_epochs": 14}, "history is not of the epochs 1 to 14"),
        ({"final_test_accuracy": 0.5}, "are not those of the last epoch"),
        ({"final_test_loss": 0.5}, "are not those of the last epoch"),
        ({"best_validation_accuracy": 0.5}, "is not the best of the epochs"),
        ({"training_time_seconds": 1.0}, "is not the sum of the epochs' seconds"),
        ({"test_mistakes": [3, 2]}, "are not rising positions"),
        ({"test_mistakes": [2, 2]}, "are not rising positions"),
        ({"final_test_accuracy": 7}, "less than or equal to 1"),
    ],
)
def test_figures_that_contradict_each_other_are_refused(whole, changes, said):
    with pytest.raises(ValueError, match=said):
        RunResults.model_validate(whole | changes)


def test_epochs_out_of_order_are_refused(whole):
    with pytest.raises(ValueError, match="history is not of the epochs"):
        RunResults.model_validate(whole | {"history": whole["history"][::-1]})


def test_what_a_result_shows_is_the_last_epochs_and_the_best_training_accuracy(whole):
    run = read_results()
    shown = dict(line.rsplit(maxsplit=1) for line in format_results(run).splitlines())
    assert shown == {
        "parameters": f"{run.total_parameters:,}",
        "best train accuracy": f"{max(record.train_accuracy for record in run.history):.2%}",
        "final validation accuracy": f"{run.history[-1].validation_accuracy:.2%}",
        "final test accuracy": f"{run.final_test_accuracy:.2%}",
        "epochs": str(len(run.history)),
        "seconds": f"{sum(record.seconds for record in run.history):.0f}",
    }
    last = whole["history"][-1] | {"test_accuracy": None, "test_loss": None}
    untested = {"final_test_accuracy": None, "final_test_loss": None, "history": [*whole["history"][:-1], last]}
    assert "final test accuracy         –" in format_results(RunResults.model_validate(whole | untested))


def test_what_a_run_measured_cannot_be_changed():
    results = read_results()
    measured = ((results, "history"), (results.history[0], "test_accuracy"), (results.environment, "torch"))
    for record, name in (*measured, (Settings(), "epochs"), (results.config, "epochs")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(record, name, getattr(record, name))
    assert format_results(results)
