"""One network under two names is found, another is not."""

from assessment.networks import ALIKE, COPIED, GOOD, LARGE

from mnist_helpers.assessment.copies import bare_source, find_copies


def bare(folder, text):
    (file := folder / "net.py").write_text(text)
    return bare_source(file)


def test_other_names_comments_layout_and_docstrings_hide_nothing(tmp_path):
    good = bare(tmp_path, GOOD)
    assert bare(tmp_path, COPIED) == good
    assert bare(tmp_path, GOOD.replace("(images)", "(  images  )") + "\n\n# mine\n") == good


def test_another_number_layer_or_setting_is_another_source(tmp_path):
    changes = (
        ("stride=4", "stride=3"),
        (".relu()", ".sigmoid()"),
        ('"epochs": 1', '"epochs": 2'),
        ("Conv2d", "Linear"),
    )
    sources = {bare(tmp_path, GOOD.replace(*change)) for change in changes} | {bare(tmp_path, LARGE)}
    assert len(sources) == 5
    assert bare(tmp_path, GOOD) not in sources
    # names that are torch's, or say what a call is given, are not hers to change
    assert bare(tmp_path, GOOD.replace("stride=", "dilation=")) != bare(tmp_path, GOOD)


def test_copies_are_told_apart_from_networks_with_the_same_layers(tmp_path):
    texts = {"a": GOOD, "b": COPIED, "c": ALIKE, "d": LARGE}
    layers = {"a": [[104, 4, 6, 6], [1450, 10]], "d": [[1, 10]]}
    layers["b"] = layers["c"] = [list(row) for row in layers["a"]]
    found = find_copies({name: bare(tmp_path, text) for name, text in texts.items()}, layers)
    assert found == {
        "a": "same source as b; same layers as c",
        "b": "same source as a; same layers as c",
        "c": "same layers as a, b",
    }


def test_nothing_in_common_is_no_copy():
    assert find_copies({"a": "x"}, {"b": [[1]]}) == {}
