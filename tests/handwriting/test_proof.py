"""The reader's proof on record reaches its marks, was made with today's threshold, and is told as it is."""

import torch

from mnist_helpers.handwriting import MARK, PAGES, read_thresholds
from mnist_helpers.handwriting.empty import KINDS, OF_EACH
from mnist_helpers.handwriting.proof import DIGITS, DRAWS, NETWORK, SEEN, plot_proof, read_proof, unseen
from mnist_helpers.paths import PROJECT_ROOT

TOLD = (PROJECT_ROOT / "outputs" / "README.md").read_text(encoding="utf-8")


def test_every_mark_is_reached_by_the_whole_proof():
    proof = read_proof()
    assert all(proof.marks().values())
    assert [draw.outcome.digits for draw in proof.draws] == [DIGITS] * DRAWS
    assert [page.name for page in proof.pages] == list(PAGES)
    assert len(proof.empty) == OF_EACH * len(KINDS) == 50
    assert [each.typeface for each in proof.letters] == [typeface.name for typeface in MARK]
    assert proof.network == NETWORK
    assert proof.threshold == read_thresholds().networks[NETWORK].threshold


def test_no_test_digit_is_read_twice_or_was_read_while_the_reader_was_made():
    drawn = torch.cat(unseen(10_000))
    assert len(drawn.unique()) == DRAWS * DIGITS
    before = [torch.randperm(10_000, generator=torch.Generator().manual_seed(seed))[:1000] for seed in range(5)]
    assert not torch.isin(drawn, torch.cat(before)).any()
    assert [draw.seed for draw in read_proof().draws] == list(range(SEEN, SEEN + DRAWS))


def test_what_is_told_of_the_proof_is_the_record():
    proof = read_proof()
    digits = DRAWS * DIGITS
    found = sum(draw.outcome.found for draw in proof.draws)
    lost = [100 * (draw.clean - draw.outcome.right) / DIGITS for draw in proof.draws]
    assert (
        f"{DRAWS} draws of {DIGITS:,} test digits, put on made paper: **{found / digits:.2%}**".replace("%", " %")
        in TOLD
    )
    assert f"{sum(lost) / DRAWS:.2f} points fewer are right" in TOLD
    assert f"({min(lost):.1f} to {max(lost):.1f} in one draw)".replace("-", "−") in TOLD
    drawn = sum(page.digits for page in proof.pages)
    assert all(page.right == page.digits and not page.wrong for page in proof.pages)
    assert f"right for all {drawn} digits. {sum(page.answered for page in proof.pages)} are answered" in TOLD
    refused = sum(each.refused for each in proof.letters) / sum(each.letters for each in proof.letters)
    assert f"{100 * refused:.1f} % are refused" in TOLD


def test_no_legend_covers_what_the_picture_shows():
    figure = plot_proof(read_proof())
    figure.draw_without_rendering()
    for axis in figure.axes:
        if legend := axis.get_legend():
            assert not legend.get_window_extent().overlaps(axis.get_window_extent())
