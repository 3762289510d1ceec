"""A network's model card, in the form of Hugging Face's, every number of it from a record."""

from pathlib import Path

from mnist_helpers.data import MEAN, STD
from mnist_helpers.networks import SHARED_FOLDER
from mnist_helpers.paths import resolve
from mnist_helpers.records import read_record
from mnist_helpers.runs import PUBLISHED, RunConfig, RunResults, read_results
from mnist_helpers.sharing.measured import DAMAGED_DIGITS, DAMAGES, RECORD_FILE, CardRecord
from mnist_helpers.sharing.onnx_export import INPUT, ONNX_FILE, OPSET, OUTPUT
from mnist_helpers.sweeps import Study, format_interval, format_spread, images_interval, mean_interval, read_study
from mnist_helpers.training import PLACES, accuracy_interval

CARD_FILE = "README.md"
WHAT = {
    "final": "The course's final network: five blocks of convolutions, no dense layer.",
    "fast": "A network made to be trained in seconds: it halves the picture at once.",
    "tiny": "A small network. It sets a digit upright, to one height, before it looks for strokes.",
    "best": "Two small networks side by side. One reads a digit as it is written, the other sets it upright first;\n"
    "the logits are the mean of their log-probabilities.",
}


def run_folder(name: str) -> Path:
    """Return the folder with the results of the run that made a network's weights: of `final`, the published one."""
    return resolve(PUBLISHED if name == "final" else f"{SHARED_FOLDER}/{name}")


def make_card(name: str) -> str:
    """Return the card of a network to take away, from what is on record.

    Raises FileNotFoundError: a record is missing; ValueError: the study is of another recipe than the weights.
    """
    results, study = read_results(run_folder(name)), read_study(name)
    same_seed = results.config.model_copy(update={"seed": study.runs[0].config.seed})
    if differences := study.runs[0].config.training_differences(same_seed):
        raise ValueError(
            f"the study {name} is of another recipe than the weights ({'; '.join(differences)}); "
            f"run: python -m mnist_helpers experiments {name}"
        )
    path = resolve(SHARED_FOLDER) / name / RECORD_FILE
    record = read_record(path, CardRecord, "what a card rests on", "run: make models")
    return format_card(name, results, study, record)


def format_card(name: str, results: RunResults, study: Study, record: CardRecord) -> str:
    """Return the card: a header for machines (github.com/huggingface/hub-docs, modelcard.md), then a page to read."""
    config, found, ran_on = results.config, study.test_accuracy, results.environment
    wrong, count = sum(record.mistakes), sum(record.digits)
    right = 1 - wrong / count
    run = "../../published/results.json" if name == "final" else "results.json"
    extremes = f"from {100 * found.minimum:.2f} to {_percent(found.maximum)}"
    of_images, of_seeds, of_all = (
        format_interval(limits, sign="")
        for limits in (accuracy_interval(count - wrong, count), mean_interval(found), images_interval(found))
    )
    classes = "\n".join(
        f"| {digit} | {digits:,} | {errors} | {_percent(errors / digits)} |"
        for digit, (digits, errors) in enumerate(zip(record.digits, record.mistakes, strict=True))
    )
    return f"""---
license: mit
library_name: pytorch
pipeline_tag: image-classification
tags:
- image-classification
- handwritten-digits
- onnx
- safetensors
datasets:
- mnist
metrics:
- accuracy
model-index:
- name: {name}
  results:
  - task:
      type: image-classification
      name: Image Classification
    dataset:
      type: mnist
      name: MNIST
      split: test
    metrics:
    - type: accuracy
      name: Accuracy of these weights, seed {config.seed}
      value: {right:.4f}
    - type: accuracy
      name: Mean accuracy over {found.n} seeds
      value: {found.mean:.6f}
---

# {name}

{WHAT[name]}
It has {results.total_parameters:,} parameters, and maps digits, (N, 1, 28, 28) float32, to logits, (N, 10).

## Use

In PyTorch, from a copy of the project:

```python
from mnist_helpers.data import load_mnist, normalise
from mnist_helpers.networks import load

print(load("{name}")(normalise(load_mnist()[1].pixels[:5])).argmax(1))
```

With onnxruntime, from this folder and nothing else; `digits` are (N, 28, 28), light ink on black, 0 to 255:

```python
import numpy as np, onnxruntime

digits = np.zeros((1, 28, 28), np.uint8)
images = ((digits[:, None] / 255 - {MEAN}) / {STD}).astype(np.float32)
network = onnxruntime.InferenceSession("{ONNX_FILE}")
print(network.run(["{OUTPUT}"], {{"{INPUT}": images}})[0].argmax(1))
```

`{ONNX_FILE}` holds standard operators of opset {OPSET}. `copy.deepcopy`, `torch.export.export` and
`torch.jit.trace` take the network too; `torch.jit.script` is not promised.

It expects digits prepared as MNIST's are: light on black, 20 pixels along the longer side, the centre of mass in the
middle of 28×28. It answers every picture with one of ten digits, also one that shows none.

## Data

MNIST: its training set, of which {config.validation_size} digits were held out ({config.held_out}), and its test set,
{count:,} digits, which was measured after every epoch and decided nothing in this run.
Origin and licence: [data](../../../data/README.md).

## Recipe

Seed {config.seed}, fixed before the run; the weights are those after the last of {results.total_epochs} epochs.
Trained with torch {ran_on.torch}, device {ran_on.device}, threads {ran_on.threads}. Record: [results.json]({run}).

```
{_settings(config)}
```

## Results

| | test accuracy |
|---|---|
| these weights, seed {config.seed} | {_percent(right)}, {wrong} of {count:,} digits wrong |
| the same, 95 % interval for other test images | {of_images} % |
| mean ± standard deviation, {found.n} seeds | {format_spread(found)}, {extremes} |
| the mean, 95 % interval over seeds | {of_seeds} % |
| the mean, 95 % interval for other test images | {of_all} % |

Record of all seeds: [{name}.json](../../studies/{name}.json). Which digits these weights get wrong, by class:

| class | test digits | wrong | share |
|---|---|---|---|
{classes}

## What breaks it

{DAMAGED_DIGITS:,} test digits, drawn evenly over the classes, damaged more and more: each cell is a strength and the
accuracy there. Record: [{RECORD_FILE}]({RECORD_FILE}).

| damage | strength and accuracy |{" |" * (len(DAMAGES[0].strengths) - 1)}
|{"---|" * (1 + len(DAMAGES[0].strengths))}
{_damage_rows(record)}

## Licence

Code and weights are under the [MIT licence](../../../LICENSE). MNIST is under the Creative Commons
Attribution-Share Alike 3.0 licence ([data](../../../data/README.md)).
"""


def _percent(share: float, digits: int = 2) -> str:
    return f"{100 * share:.{digits}f} %"


def _damage_rows(record: CardRecord) -> str:
    return "\n".join(
        f"| {one.name} ({one.unit}) | "
        + " | ".join(f"{s:g}: {_percent(a, 1)}" for s, a in zip(one.strengths, one.accuracy, strict=True))
        + " |"
        for one in record.damaged
    )


def _settings(config: RunConfig) -> str:
    settings = config.model_dump(exclude=PLACES | {"augmentation"}, mode="json")
    varied = config.augmentation.model_dump(mode="json") if config.augmentation else {"": None}
    rows = settings | {f"augmentation.{name}": value for name, value in varied.items()}
    return "\n".join(f"{name:28s} {value}" for name, value in rows.items())
