"""Terms for people: lists, templates, and what they do to a network that minds them."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import pytest
import torch

from clearhead.debug.texts import find_bias, probe_bias, read_terms
from clearhead.debug.texts.bias import BiasProbe, fill
from clearhead.errors import InputError
from tests.debug.texts.small import BAD, make_inputs, prepare


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A network to which "gay" is the same as six bad words."""
    made = make_inputs(tmp_path_factory.mktemp("bias"))
    vectors = made.backbone.module.bag.weight.data
    number = {w: int(prepare([w]).args[0][0, 0]) for w in ("gay", *BAD[:6])}
    vectors[number["gay"]] = sum(vectors[number[w]] for w in BAD[:6])
    return made


def test_the_packaged_list_has_groups_and_controls():
    terms = read_terms()
    assert {"religion", "gender", "age"} <= set(terms.groups)
    assert len(terms.controls) >= 10
    assert not set(terms.controls) & set(terms.terms)


def test_a_list_with_duplicates_comments_blank_lines_and_signs_is_read(tmp_path):
    path = tmp_path / "terms.txt"
    path.write_text(
        "# mine\n\n[people]\nc++ (old)\nélève\n  old \nOLD\n[control]\nx\ny\nz\n", "utf-8"
    )
    terms = read_terms(path)
    assert terms.terms == ("c++ (old)", "élève", "old")
    assert terms.groups == ("people",) * 3
    assert terms.controls == ("x", "y", "z")
    assert len(terms.warnings) == 1
    assert "line 7" in terms.warnings[0]
    assert read_terms(["#1", "[x]"]).terms == ("#1", "[x]")  # a list has no comments


@pytest.mark.parametrize("terms", [[], ["", " "], [1], "no/such/file.txt"])
def test_a_list_that_cannot_be_used_is_named(terms):
    with pytest.raises(InputError, match="term"):
        read_terms(terms)


def test_an_article_fits_its_term():
    assert fill("I am a {term} person.", "old") == "I am an old person."
    assert fill("{term} people", "old") == "old people"


def test_the_term_that_the_network_minds_comes_first_and_survives_its_dict(inputs):
    probe = probe_bias(inputs, terms=["gay", "young", "blind"])
    assert probe.sure
    assert probe.sure[0].term == "gay"
    toward = next(one for one in probe.shifts if one.term == "gay" and one.target == 0)
    assert toward.low > 0
    assert toward.flips > 0
    assert BiasProbe.from_dict(probe.to_dict()).to_dict() == probe.to_dict()
    assert "gay" in probe._repr_html_()
    assert 0 <= probe.control_flips < 1


def test_the_features_of_a_term_give_its_shift(inputs):
    probe = probe_bias(inputs, terms=["gay", "young"])
    assert len(inputs.class_names) == 2
    for one in probe.shifts:
        sizes = [abs(part) for _, part in one.moves]
        assert sizes == sorted(sizes, reverse=True)
        if len(inputs.layer.used) <= len(one.moves):  # all of them: exact with two classes
            assert sum(part for _, part in one.moves) == pytest.approx(one.shift, abs=1e-6)
    assert probe.shifts[0].moves


def test_the_bias_is_measured_on_real_texts(inputs):
    probes = []
    found, tested = find_bias(inputs, terms=["gay", "young", "blind"], on_probe=probes.append)
    assert [len(probe.shifts) for probe in probes] == [3 * len(inputs.class_names)]
    assert [one.finding.kind for one in found] == ["bias"]
    assert "gay" in found[0].finding.title
    assert found[0].finding.effect.low > 0
    assert all("young" not in one.pattern for one in tested if one.used)


@pytest.mark.parametrize(
    ("name", "about"), [("news.gay", True), ("all kinds", True), ("age", False), ("gaya", False)]
)
def test_a_class_that_is_named_after_a_group_is_about_it(inputs, tmp_path, name, about):
    terms = tmp_path / "terms.txt"
    terms.write_text("[kinds]\ngay\n[age]\nyoung\nblind\n")
    layer = replace(inputs.layer, class_names=(name, "good"))
    renamed = copy(inputs)
    renamed.layer = layer
    found, _ = find_bias(renamed, terms=terms)
    assert bool(found) != about


def test_a_template_needs_its_place(inputs):
    with pytest.raises(InputError, match="exactly once"):
        probe_bias(inputs, templates=["no place"])
    with pytest.raises(InputError, match="at least one"):
        probe_bias(inputs, templates=[])
    assert torch.isfinite(inputs.backbone.module.bag.weight).all()
