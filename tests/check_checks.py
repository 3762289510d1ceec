"""Break the helpers one at a time, in a throw-away copy of the repository, and demand that a check turns red.

`make check-checks` runs them all; `python tests/check_checks.py --list` shows what is broken and what must see it.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
TIME_LIMIT = 300  # seconds for one check; the slowest, a whole notebook, takes about one minute


@dataclass(frozen=True)
class Mutation:
    """One thing to break: `old`, which `file` must hold exactly once, becomes `new`; then a check must fail."""

    name: str
    file: str
    """In `mnist_helpers`."""
    old: str
    new: str
    checks: list[str]
    """Arguments for pytest."""


class CheckError(RuntimeError):
    """The checks could not be judged: a stale mutation, a test that is not there, the wrong helpers imported."""


# fmt: off
MUTATIONS = [
    # data
    Mutation("wrong-mean", "data/augmentation.py", "0.1307, 0.3081",
             "0.1037, 0.3081",
             ["tests/data/test_augmentation.py::test_normalised_training_pixels_have_mean_0_and_deviation_1"]),
    Mutation("validation-labels-shifted", "data/mnist.py", "images.take(validation)",
             "Images(images.pixels[validation], images.targets[validation].roll(1))",
             ["tests/training/test_guards.py::test_the_split_deals_out_the_archive_and_every_image_keeps_its_label"]),
    Mutation("split-overlaps", "data/mnist.py", "np.sort(validation)", "np.sort(train[:validation_size])",
             ["tests/training/test_guards.py::test_the_split_deals_out_the_archive_and_every_image_keeps_its_label"]),
    Mutation("split-not-stratified", "data/mnist.py", "stratify=targets.numpy()", "stratify=None",
             ["tests/data/test_data.py::test_any_split_is_disjoint_stratified_and_repeatable"]),
    Mutation("test-images-trained-on", "data/mnist.py", "Split(images.take(train),",
             "Split(Images(torch.cat([test.pixels, images.pixels[train]])[: len(train)], "
             "torch.cat([test.targets, images.targets[train]])[: len(train)]),",
             ["tests/training/test_guards.py::test_the_split_deals_out_the_archive_and_every_image_keeps_its_label"]),
    Mutation("archives-not-verified", "data/archives.py", "if actual != expected and not", "if False and not",
             ["tests/data/test_data.py::test_a_damaged_file_is_named_with_both_hashes_and_its_cure"]),
    Mutation("slant-mirrored", "looking/explore.py", "atan2(-covariance,", "atan2(covariance,",
             ["-pnbval.plugin", "--nbval", "--nbval-current-env", "notebooks/01_explore_data.ipynb"]),
    # augmentation
    Mutation("augmentation-skipped", "data/augmentation.py",
             "    if augmentation is None:\n        return", "    if augmentation is not False:\n        return",
             ["tests/data/test_augmentation.py::test_every_image_gets_its_own_draw"]),
    Mutation("augmentation-not-trained-with", "training/loop.py", "settings.batch_size, settings.augmentation)",
             "settings.batch_size, None)",
             ["tests/training/test_guards.py::test_training_images_are_varied_as_the_configuration_says"]),
    Mutation("never-erased", "data/augmentation.py", "< a.erasing_p)", "< 0)",
             ["tests/data/test_augmentation.py::test_erased_boxes_follow_torchvisions_distribution"]),
    Mutation("rotation-backwards", "data/augmentation.py", "draws.angle.deg2rad()", "-draws.angle.deg2rad()",
             ["tests/data/test_augmentation.py::test_directions"]),
    Mutation("degrees-as-radians", "data/augmentation.py", "draws.angle.deg2rad()", "draws.angle",
             ["tests/data/test_augmentation.py::test_transform_equals_torchvision_pixel_by_pixel"]),
    Mutation("grid-transposed", "data/augmentation.py", "by_column.unsqueeze(2) + by_row.unsqueeze(3)",
             "by_column.unsqueeze(3) + by_row.unsqueeze(2)",
             ["tests/data/test_augmentation.py::test_the_sampling_grid_is_torchs"]),
    Mutation("colours-never-change", "data/augmentation.py", "if draws.brightness is not None:", "if False:",
             ["tests/data/test_augmentation.py::test_any_one_change_is_applied"]),
    # networks and layers
    Mutation("batchnorm-dropped", "networks/final.py",
             "        *([nn.BatchNorm2d(out_channels)] if batchnorm else []),\n",
             "",
             ["tests/networks/test_models.py::test_the_final_network_keeps_the_rules"]),
    Mutation("channel-count-changed", "networks/final.py",
             "*conv(1, 12), *conv(12, 16)", "*conv(1, 13), *conv(13, 16)",
             ["tests/networks/test_models.py::test_the_final_network_is_the_references"]),
    Mutation("running-mean-not-updated", "networks/layers.py", "self.running_mean.lerp_(mean, self.momentum)", "pass",
             ["tests/networks/test_layers.py::test_batch_norm_relu_equals_torchs_two_layers"]),
    Mutation("dropout-never-applied", "networks/layers.py",
             "return _Dropout.apply(inputs, dropped_positions(inputs.numel(), self.p), 1 / (1 - self.p))",
             "return inputs", ["tests/networks/test_layers.py::test_dropout_drops_a_share_p_and_keeps_the_mean"]),
    Mutation("dropout-not-rescaled", "networks/layers.py", "1 / (1 - self.p))", "1.0)",
             ["tests/networks/test_layers.py::test_dropout_drops_a_share_p_and_keeps_the_mean"]),
    Mutation("leans-the-other-way", "networks/upright.py", "lean * taller", "-lean * taller",
             ["tests/networks/test_upright.py::test_a_slanted_and_shifted_digit_is_set_upright_in_the_middle"]),
    Mutation("receptive-field-without-jump", "networks/receptive.py", " * dilation[a] * self.jumps[a]",
             " * dilation[a]",
             ["tests/networks/test_models.py::test_the_table_follows_strides_dilation_and_dense_layers"]),
    Mutation("whitened-with-one-sign", "runs/whitening.py", "torch.cat([filters, -filters])",
             "torch.cat([filters, filters])",
             ["tests/runs/test_whitening.py::test_responses_are_uncorrelated_and_none_is_larger_than_one"]),
    # training
    Mutation("blocks-never-stop-learning", "runs/hooks.py", "block.requires_grad_(epoch <= last)",
             "block.requires_grad_(True)",
             ["tests/training/test_guards.py::test_a_block_learns_in_its_epochs_and_not_after"]),
    Mutation("targets-not-smoothed", "training/loop.py", ", label_smoothing=label_smoothing)",
             ")",
             ["tests/training/test_guards.py::test_smoothed_targets_are_what_the_step_learns"]),
    Mutation("read-back-every-step", "training/loop.py", "        bar.batch(loss)\n",
             "        bar.batch(loss)\n        loss.item()\n",
             ["tests/training/test_guards.py::test_nothing_is_read_back_within_an_epoch"]),
    Mutation("precision-ignored", "runs/hooks.py", "dtype=torch.bfloat16)",
             "dtype=torch.bfloat16, enabled=False)",
             ["tests/runs/test_precision.py::test_an_epoch_computes_in_what_the_configuration_says"]),
    Mutation("batchnorm-in-bfloat16", "networks/layers.py", "apply(inputs.to(self.weight.dtype),", "apply(inputs,",
             ["tests/runs/test_precision.py::test_statistics_of_bfloat16_values_are_taken_in_float32"]),
    Mutation("upright-in-bfloat16", "networks/upright.py", "with torch.no_grad(), _in_float32(inputs.device):",
             "with torch.no_grad():",
             ["tests/runs/test_precision.py::test_digits_are_set_upright_in_float32_whatever_the_network_computes_in"]),
    Mutation("made-on-the-cpu", "data/augmentation.py", "(torch.arange(size, device=maps.device) * 2 + 1)",
             "(torch.arange(size) * 2 + 1)",
             ["tests/data/test_batches.py::test_images_augmentation_and_training_stay_on_their_device"]),
    Mutation("one-batch-at-a-time-everywhere", "data/images.py", 'if device.type == "cpu" else VARIED_TOGETHER', "",
             ["tests/data/test_batches.py::test_a_gpu_varies_many_batches_at_once_and_a_cpu_one"]),
    Mutation("recipe-ignored", "runs/recipes.py",
             'RECIPES.get(chosen.get("model", ""), {}) if recipe is None else recipe',
             "{}",
             ["tests/runs/test_recipes.py::test_a_recipe_belongs_to_a_network_and_is_allowed"]),
    Mutation("schedule-not-stepped", "training/loop.py", "        state.schedule.step()\n", "",
             ["tests/training/test_guards.py::test_every_step_has_the_rate_planned_for_it"]),
    Mutation("onecycle-per-epoch", "training/optimizing.py", "steps = settings.epochs * steps_per_epoch",
             "steps = settings.epochs",
             ["tests/training/test_training.py::test_the_schedule_is_one_cycle_over_all_steps"]),
    Mutation("weight-decay-ignored", "training/optimizing.py", '"weight_decay": settings.weight_decay',
             '"weight_decay": 0',
             ["tests/training/test_guards.py::test_weights_decay_where_the_loss_is_flat"]),
    Mutation("not-shuffled", "data/images.py", "torch.randperm(", "torch.arange(",
             ["tests/training/test_guards.py::test_an_epoch_shows_every_image_once_with_its_label_in_an_order_of_its_own"]),
    Mutation("small-batch-weighs-full", "training/loop.py", "loss * len(targets)", "loss * state.config.batch_size",
             ["tests/training/test_guards.py::test_every_image_weighs_the_same_in_an_epochs_loss_and_accuracy"]),
    Mutation("seed-ignored", "training/runtime.py", "seed * SEED_STRIDE + epoch", "epoch",
             ["tests/training/test_guards.py::test_the_seed_alone_decides_first_weights_and_every_epoch"]),
    Mutation("epoch-not-seeded", "training/loop.py", "    seed_epoch(settings.seed, epoch)\n",
             "",
             ["tests/training/test_guards.py::test_the_seed_alone_decides_first_weights_and_every_epoch"]),
    Mutation("resume-starts-again", "training/keeping.py", "state.restore(checkpoint)", "pass",
             ["tests/training/test_guards.py::test_an_interrupted_run_trains_only_what_is_left_and_ends_the_same"]),
    Mutation("optimizer-not-restored", "training/state.py",
             "(self.network, self.optimizer, self.schedule)", "(self.network, self.schedule, self.schedule)",
             ["tests/training/test_guards.py::test_an_interrupted_run_trains_only_what_is_left_and_ends_the_same"]),
    Mutation("teacher-not-heard", "runs/distillation.py", "(1 - SHARE) * loss + SHARE * divergence", "loss",
             ["tests/runs/test_distillation.py::test_steps_with_a_teacher_end_nearer_to_it_than_steps_without"]),
    Mutation("temperature-not-squared", "runs/distillation.py", " * TEMPERATURE**2", "",
             ["tests/runs/test_distillation.py::test_the_divergence_is_hintons"]),
    Mutation("last-step-kept-not-the-average", "runs/hooks.py", "return self._averaged.module",
             "return network",
             ["tests/runs/test_distillation.py::test_what_is_measured_kept_and_resumed_is_the_average"]),
    Mutation("held-out-images-trained-on", "data/mnist.py",
             "train = torch.arange(before)", "train = torch.arange(before + 1)",
             ["tests/data/test_data.py::test_the_last_images_can_be_held_out"]),
    Mutation("augmentation-never-shrinks", "runs/hooks.py", "1 + passed * (self._end - 1)",
             "1",
             ["tests/runs/test_config.py::test_augmentation_shrinks_evenly_to_what_is_asked"]),
    Mutation("never-distorted", "data/augmentation.py", "if draws.elastic is not None:", "if False:",
             ["tests/data/test_augmentation.py::test_an_even_elastic_field_is_a_shift"]),
    # sweeps
    Mutation("record-skipped", "sweeps/engines.py", "                store.write(record)\n", "",
             ["tests/sweeps/test_sweep.py::test_a_record_is_on_disk_before_the_next_run_ends"]),
    Mutation("failed-run-ends-the-sweep", "sweeps/engines.py",
             "except Exception as error:", "except MemoryError as error:",
             ["tests/sweeps/test_engines.py::test_a_run_that_diverges_leaves_its_error_in_one_line"]),
    Mutation("failure-taken-for-done", "sweeps/store.py", "return isinstance(record, FinishedRun)",
             "return record is not None",
             ["tests/sweeps/test_sweep.py::test_however_often_it_is_killed_everything_runs_once_and_failures_are_tried_again"]),
    Mutation("code-hash-ignored", "sweeps/store.py", "record.code.sources != self.code.sources", "False",
             ["tests/sweeps/test_sweep.py::test_records_of_other_code_are_kept_and_said_and_repeated_only_when_asked"]),
    Mutation("older-codes-checkpoints-continued", "sweeps/engines.py", "_{store.code.sources}", "",
             ["tests/sweeps/test_sweep.py::test_records_of_other_code_are_kept_and_said_and_repeated_only_when_asked"]),
    Mutation("sweep-not-locked", "sweeps/store.py", "running / LOCK_FILE", 'running / f"{id(running)}"',
             ["tests/sweeps/test_sweep.py::test_two_sweeps_do_not_share_a_folder"]),
    # figures, records, parameters
    Mutation("evaluated-in-training-mode", "training/evaluation.py", "    network.eval()\n",
             "",
             ["tests/training/test_training.py::test_evaluation_is_without_dropout_and_changes_nothing"]),
    Mutation("validation-and-test-swapped", "training/loop.py", "trained, validation, test, learning_rate",
             "trained, test, validation, learning_rate",
             ["tests/training/test_guards.py::test_validation_and_test_figures_are_those_of_their_own_images"]),
    Mutation("interval-not-wilsons", "training/evaluation.py", 'method="wilson"', 'method="exact"',
             ["tests/training/test_training.py::test_the_interval_is_wilsons"]),
    Mutation("best-epoch-reported", "training/results.py",
             "last = history[-1]", "last = max(history, key=lambda record: record.test_accuracy)",
             ["tests/training/test_training.py::test_results_are_the_last_epochs_and_survive_the_file"]),
    Mutation("spread-over-n", "sweeps/study.py", "statistics.stdev(", "statistics.pstdev(",
             ["tests/sweeps/test_study.py::test_spread_is_mean_and_sample_deviation"]),
    Mutation("write-not-atomic", "files.py",
             'path.with_name(f"{path.name}.{_machine()}.{os.getpid()}{PARTIAL_SUFFIX}")', "path",
             ["tests/training/test_training.py::test_a_failed_write_leaves_the_old_file_and_no_rest"]),
    Mutation("unknown-parameter-ignored", "data/ranges.py", 'extra="forbid"',
             'extra="ignore"',
             ["tests/runs/test_config.py::test_a_misspelt_parameter_gets_a_suggestion"]),
    Mutation("last-row-never-erased", "data/augmentation.py", "(size - side + 1)", "(size - side)",
             ["tests/data/test_augmentation.py::test_erased_boxes_reach_every_border_and_no_pixel_is_spared"]),
    Mutation("height-without-limit", "networks/upright.py", ".clamp(*HEIGHTS)", "",
             ["tests/networks/test_upright.py::test_a_digit_is_stretched_or_shrunk_in_height_by_so_much_and_no_more"]),
    Mutation("width-without-limit", "networks/upright.py", ".clamp(*WIDTHS)", "",
             ["tests/networks/test_upright.py::test_and_in_width"]),
    Mutation("width-with-the-slant", "networks/upright.py", " - covariance.square() / high", "",
             ["tests/networks/test_upright.py::test_a_digits_width_is_its_strokes_and_not_its_slant"]),
    Mutation("constant-momentum-not-midway", "training/optimizing.py",
             "(settings.base_momentum + settings.max_momentum) / 2", "settings.max_momentum",
             ["tests/training/test_training.py::test_a_constant_schedule_keeps_the_rate_and_the_momentum_midway"]),
    Mutation("squares-soon-forgotten", "training/optimizing.py", "0.999", "0.9",
             ["tests/training/test_training.py::test_steps_are_those_of_torchs_optimizers_by_the_papers_numbers"]),
    Mutation("annealed-linearly", "training/optimizing.py", '"cos"', '"linear"',
             ["tests/training/test_training.py::"
              "test_the_schedule_rises_and_falls_along_a_cosine_to_the_end_that_is_asked_for"]),
    Mutation("final-rate-ignored", "training/optimizing.py", "final_div_factor=settings.final_div_factor",
             "final_div_factor=1e4",
             ["tests/training/test_training.py::"
              "test_the_schedule_rises_and_falls_along_a_cosine_to_the_end_that_is_asked_for"]),
    Mutation("validation-loss-for-the-tests", "training/results.py", "final_test_loss=last.test_loss",
             "final_test_loss=last.validation_loss",
             ["tests/training/test_training.py::test_headlines_are_each_of_its_own_figure"]),
    Mutation("mistakes-of-other-seeds", "sweeps/comparison.py", "[one for one, _ in pairs]", "study.runs",
             ["tests/sweeps/test_comparison.py::test_only_the_seeds_that_both_have_are_compared"]),
    Mutation("edges-on-the-other-side", "looking/answers.py", "right=True", "right=False",
             ["tests/looking/test_calibration.py::test_an_answer_on_an_edge_is_in_scikit_learns_bin"]),
    Mutation("parameter-unused", "training/settings.py", "self.seed, self.held_out,", 'self.seed, "drawn",',
             ["tests/runs/test_promises.py::test_a_changed_parameter_changes_the_run"]),
    Mutation("room-not-taken", "runs/places.py", "os.posix_fallocate(", "print(",
             ["tests/runs/test_places.py::test_a_disk_without_room_is_found_by_taking_it"]),
    Mutation("boolean-for-a-number", "data/ranges.py", "isinstance(each, bool)", "isinstance(each, bytes)",
             ["tests/runs/test_wrong_values.py::test_what_is_no_number_is_refused"]),
    Mutation("plan-without-an-end", "sweeps/plan.py", "if runs > MOST_RUNS:", "if False:",
             ["tests/sweeps/test_plan.py::test_a_plan_without_an_end_is_refused_before_anything_is_made_of_it"]),
    # views and blurred pooling
    Mutation("views-trained-together", "runs/hooks.py", "return torch.stack(losses).mean(), together(logits)",
             "return F.cross_entropy(together(logits), targets), together(logits)",
             ["tests/networks/test_views.py::test_a_step_moves_every_member_as_if_it_were_alone"]),
    Mutation("views-logits-averaged", "networks/views.py", "F.log_softmax(one, dim=1) for one", "one for one",
             ["tests/networks/test_views.py::test_the_answer_is_the_members_geometric_mean"]),
    Mutation("views-never-step", "runs/recipes.py", 'VIEWS = {"best", "looped_views"}',
             "VIEWS = set()",
             ["tests/networks/test_views.py::test_a_run_trains_views_member_by_member"]),
    Mutation("one-view-whitened", "runs/whitening.py", "for member in network.members for",
             "for member in network.members[:1] for",
             ["tests/networks/test_views.py::test_a_run_trains_views_member_by_member"]),
    Mutation("views-alike", "networks/names.py", "(**VIEW, upright=True)", "(**VIEW, upright=False)",
             ["tests/networks/test_views.py::test_best_is_a_view_as_written_and_one_set_upright"]),
    Mutation("tf32-on-a-gpu", "training/runtime.py", "allow_tf32 = False", "allow_tf32 = True",
             ["tests/training/test_guards.py::test_convolutions_of_a_gpu_compute_in_float32"]),
    Mutation("gradients-added-to-others", "runs/replaying.py", "optimizer.zero_grad()", "pass",
             ["tests/runs/test_replaying.py::test_no_gradient_is_left_for_a_recording_to_add_to"]),
    Mutation("replayed-without-a-step", "runs/replaying.py", "optimizer.step()", "pass",
             ["tests/runs/test_replaying.py::test_only_whole_batches_after_the_first_steps_are_recorded"]),
    Mutation("pooling-not-blurred", "networks/compact.py", "nn.AvgPool2d(2, stride=1, padding=1)",
             "nn.MaxPool2d(2, stride=1, padding=1)",
             ["tests/networks/test_compact.py::test_blurred_pooling_is_the_blurred_maximum_at_every_other_place"]),
    Mutation("table-not-started-anew", "networks/receptive.py", "(known[id(t)] for t in sources if id(t) in known)",
             "list(known.values())[-1:]",
             ["tests/networks/test_models.py::test_the_table_follows_strides_dilation_and_dense_layers"]),
    Mutation("layer-used-twice-counted-twice", "networks/table.py",
             "sum(left.pop(name).numel() for name in used if name in left)",
             "sum(p.numel() for p in step.layer.parameters())",
             ["tests/networks/test_others.py::test_a_layer_used_twice_has_its_parameters_once_and_its_work_twice"]),
    Mutation("own-network-not-hashed", "runs/config.py", 'complete | {"source": source}', "complete",
             ["tests/runs/test_own.py::test_another_version_of_the_file_is_another_run"]),
    Mutation("own-network-made-fast", "runs/config.py", "        return make().to(self.torch_device())",
             "        return fast_form(make()).to(self.torch_device())",
             ["tests/runs/test_own.py::test_what_is_trained_is_what_was_written_and_its_record_names_the_file"]),
    Mutation("hook-state-not-restored", "training/state.py",
             "            hook.load_state_dict(state)\n", "            pass\n",
             ["tests/runs/test_distillation.py::test_what_is_measured_kept_and_resumed_is_the_average"]),
    Mutation("fold-ignored", "training/settings.py", "self.held_out, fold, with_test)",
             "self.held_out, with_test=with_test)",
             ["tests/runs/test_config.py::test_a_run_loads_the_split_that_its_settings_say"]),
    Mutation("writers-fold-trained-on", "data/mnist.py", "(folds != fold).nonzero()", "(folds >= 0).nonzero()",
             ["tests/data/test_writers.py::test_a_fold_is_held_out_whole_and_nothing_else_of_it_is_trained_on"]),
    Mutation("verdict-by-the-mean", "assessment/verdict.py", "if low > ACCURACY_GOAL",
             "if found.mean > ACCURACY_GOAL",
             ["tests/assessment/test_verdict.py::test_the_outcome_is_where_students_interval_lies"]),
    Mutation("names-run-as-markup", "assessment/table.py", "escape=True", "escape=False",
             ["tests/assessment/test_table.py::test_names_are_text_in_csv_and_page"]),
    Mutation("other-settings-overwritten", "sweeps/store.py",
             "        elif path.exists():\n", "        elif False:\n",
             ["tests/sweeps/test_sweep.py::"
              "test_other_settings_under_a_name_on_record_are_refused_before_anything_runs"]),
]
# fmt: on


def mutate(text: str, mutation: Mutation) -> str:
    """Return the file's text with the mutation in it; CheckError when `old` is not there exactly once."""
    if (count := text.count(mutation.old)) != 1:
        raise CheckError(
            f"{mutation.name} has gone stale: {mutation.file} holds {mutation.old!r} {count} times, not once; "
            "bring the mutation up to date"
        )
    return text.replace(mutation.old, mutation.new)


def copy_repository(source: Path, target: Path) -> None:
    """Copy what git tracks or would track, as it is now: uncommitted work too, nothing built or extracted."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=source, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (source / name).is_file():  # git also lists what is deleted but not committed
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            copyfile(source / name, target / name)


def python(copy: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run this Python in `cwd` on the helpers of `copy`, not on the installed ones."""
    environment = {
        "PYTHONPATH": str(copy),
        # compiled code is trusted by its source's second and size, and a mutation may change neither
        "PYTHONDONTWRITEBYTECODE": "1",
        # a second thread only waits where other work keeps the cores busy
        "OMP_NUM_THREADS": "1",
        # loading plugins takes longer than most checks
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    command, environment = [sys.executable, *arguments], os.environ | environment
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=TIME_LIMIT)


def failures(copy: Path, checks: Sequence[str], *options: str) -> list[str]:
    """Return the names of the checks that fail; CheckError when pytest found no test or could not run it."""
    done = python(copy, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", *options, *checks, cwd=copy)
    if done.returncode not in (0, 1):
        raise CheckError(f"pytest could not run {' '.join(checks)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout, re.MULTILINE) if done.returncode else []


def run(mutations: Sequence[Mutation], source: Path = ROOT) -> int:
    """Apply every mutation by itself, print what caught it, and return how many survived.

    Raises:
        CheckError: a mutation is stale, or a check is red or cannot run before anything is broken.
    """
    survived = 0
    with tempfile.TemporaryDirectory() as folder, tqdm(total=len(mutations) + 1, unit="check") as bar:
        copy = Path(folder).resolve() / "repository"
        helpers = copy / "mnist_helpers"
        copy_repository(source, copy)
        originals = {mutation.file: (helpers / mutation.file).read_text(encoding="utf-8") for mutation in mutations}
        broken = [mutate(originals[mutation.file], mutation) for mutation in mutations]
        # asked from outside the copy: it is not the current folder that leads there
        found = python(copy, "-c", "import mnist_helpers; print(mnist_helpers.__file__)", cwd=copy.parent).stdout
        assert Path(found.strip()).is_relative_to(copy), f"{found.strip()} would be tested, not the copy"
        bar.set_description_str("nothing broken")
        if red := failures(copy, list(dict.fromkeys(check for m in mutations for check in m.checks))):
            raise CheckError("red before anything is broken:\n" + "\n".join(red))
        bar.update()
        for mutation, text in zip(mutations, broken, strict=True):
            bar.set_description_str(mutation.name)
            started = time.perf_counter()
            (helpers / mutation.file).write_text(text, encoding="utf-8")
            red = failures(copy, mutation.checks, "-x")
            (helpers / mutation.file).write_text(originals[mutation.file], encoding="utf-8")
            survived += not red
            caught = red[0] if red else f"SURVIVED {' '.join(mutation.checks)}"
            bar.write(f"{mutation.name:30s} {time.perf_counter() - started:5.1f} s  {caught}", file=sys.stdout)
            bar.update()
    print(f"{len(mutations) - survived} of {len(mutations)} caught")
    return survived


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutations, or those named; return 1 when one survives or cannot be judged."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[mutation.name for mutation in MUTATIONS])
    parser.add_argument("--list", action="store_true", help="show the mutations and their checks, run nothing")
    options = parser.parse_args(arguments)
    chosen = [mutation for mutation in MUTATIONS if not options.only or mutation.name in options.only]
    if options.list:
        for mutation in chosen:
            print(f"{mutation.name:30s} {mutation.file:15s} {' '.join(mutation.checks)}")
        return 0
    try:
        return int(run(chosen) > 0)
    except (CheckError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
