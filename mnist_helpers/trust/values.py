"""Wrong values for every parameter of a run, and strange plans of sweeps: each is refused, in words that name it."""

import multiprocessing
import random
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mnist_helpers.runs import ConfigError, RunConfig, make_config
from mnist_helpers.sweeps import check_configurations, make_plan
from mnist_helpers.trust.trial import Kind, Trial

PARAMETERS = tuple(name for name in RunConfig.model_fields if name != "source")
# that no parameter takes, whatever its kind
WRONG = (float("nan"), float("inf"), -1, -0.5, object(), b"x", [[]], {"x": 1}, (1, "a"), "\0", set(), 3 + 4j)
SECONDS = 20  # in which a plan must be answered
PLANS: dict[str, dict[str, Any]] = {
    "a grid of 10⁹": {"grid": {name: list(range(1, 1001)) for name in ("max_lr", "weight_decay", "div_factor")}},
    "300,000 seeds": {"seeds": list(range(300_000))},
    "a seed that is true": {"seeds": [True]},
    "no seeds": {"seeds": []},
    "a name of 500 letters": {"name": "x" * 500},
    "a name with a slash": {"name": "a/b"},
    "a setting twice": {"settings": {"epochs": 1}, "grid": {"epochs": [1, 2]}},
    "an unknown setting": {"settings": {"epoch": 1}},
    "the seed as a setting": {"settings": {"seed": 1}},
    "an empty grid": {"grid": {"epochs": []}},
    "deep nesting": {"settings": {"augmentation": {"degrees": [[[[[[1]]]]]]}}},
    "no teacher, spelt": {"grid": {"teacher": ["None", None]}},
    "not a number": {"grid": {"max_lr": [float("nan")]}},
}


def values() -> list[Kind]:
    """Return the kinds of trials with wrong values and plans."""
    return [
        Kind("wrong values of parameters", _value, 400),
        Kind("strange plans of sweeps", _plan, 2 * len(PLANS)),
    ]


def _value(random: random.Random, folder: Path) -> Trial:
    name, value = random.choice(PARAMETERS), random.choice(WRONG)
    try:
        make_config(**{"output_dir": str(folder), name: value})
    except ConfigError as error:
        return Trial(unnamed="" if name in str(error) else f"{name}={value!r}: {error}"[:200])
    except Exception as error:  # whatever it may be
        return Trial(unnamed=f"{name}={value!r}: {error!r}"[:200])
    return Trial(silent=f"{name}={value!r} was accepted")


def _plan(random: random.Random, _: Path) -> Trial:
    name = random.choice(list(PLANS))
    context = multiprocessing.get_context("forkserver")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, PLANS[name]), daemon=True)
    process.start()
    answer = receiver.recv() if receiver.poll(SECONDS) else f"unnamed: no answer in {SECONDS} seconds"
    process.kill()
    process.join()
    kind, _, told = answer.partition(": ")
    return Trial(
        silent=f"{name} was accepted" if kind == "silent" else "",
        unnamed=f"{name}: {told}"[:200] if kind == "unnamed" else "",
    )


def _answer(sender: Connection, fields: dict[str, Any]) -> None:
    try:
        plan = make_plan(**{"name": "strange", "settings": {}, **fields})
        settings = plan.configurations()
        check_configurations(settings, dict.fromkeys(settings, plan.seeds))
        sender.send("silent")
    except ConfigError as error:
        sender.send(f"told: {error}")
    except BaseException as error:
        sender.send(f"unnamed: {error!r}")
