"""What is wrong with a checkpoint, or with its name, is said in one line."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers
from transformers import BertModel

from clearhead.backbones import open_backbone
from clearhead.backbones.hub import _wanted
from clearhead.errors import BackboneError, MissingDependencyError

from .checkpoints import WORDS, make, save, text_config, word_tokenizer
from .huggingface_folders import bert, names, refused
from .test_architectures import IMAGES

# --- what is wrong with a checkpoint is said in one line


class Payload:
    def __reduce__(self):
        return os.system, ("touch executed",)


def test_a_pickle_that_would_execute_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bert(tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").unlink()
    with (tmp_path / "m" / "pytorch_model.bin").open("wb") as file:
        torch.save({"classifier.bias": Payload()}, file)
    text = refused("./m", "hold.? more than tensors, which could execute code.*It was not loaded")
    assert "system" in text
    assert not Path("executed").exists()
    with (tmp_path / "m" / "pytorch_model.bin").open("wb") as file:
        pickle.dump({"classifier.bias": Payload()}, file)
    refused("./m", "could execute code")
    assert not Path("executed").exists()


def change(folder, **changes):
    config = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))


def rewrite(folder, change_state):
    from safetensors.torch import load_file, save_file

    state = change_state(load_file(folder / "model.safetensors"))
    save_file(state, folder / "model.safetensors", {"format": "pt"})


def test_random_weights_are_never_taken(tmp_path):
    folder, _ = bert(tmp_path / "m", BertModel)
    change(folder, architectures=["BertForSequenceClassification"])
    refused(folder, r"no weights for the head \(classifier\.bias, classifier\.weight\).*pooling=")
    assert open_backbone(folder, pooling="mean").n_features == 16
    rewrite(folder, lambda s: {k: v for k, v in s.items() if "pooler" not in k})
    change(folder, architectures=["BertModel"])
    assert open_backbone(folder).n_features == 16  # its mean needs no pooler
    refused(folder, r"lacks 2 of the network's weights.*pooler\.dense", pooling="pooler")
    rewrite(folder, lambda s: {k.replace("query", "querry"): v for k, v in s.items()})
    refused(folder, r"self\.query\.bias \(it has .*self\.querry\.bias\)")


def test_sizes_classes_and_code_that_do_not_fit(tmp_path):
    folder, _ = bert(tmp_path / "m", num_labels=3)
    change(folder, id2label={"0": "a", "1": "b"}, label2id={"a": 0, "b": 1})
    refused(folder, r"classifier\.bias \[3\] for \[2\], classifier\.weight \[3, 16\] for \[2, 16\]")
    folder, _ = bert(tmp_path / "own", num_labels=3)
    change(folder, architectures=["MyOwnHead"])
    refused(folder, r"a class 'MyOwnHead'.*classifier\.bias, classifier\.weight.*from_module")
    change(folder, auto_map={"AutoConfig": "own.OwnConfig"}, model_type="own")
    refused(folder, "Python code of its own, which is not run here")
    change(folder, auto_map={}, model_type="nonsense")
    refused(folder, r"its config\.json could not be read: .*nonsense")
    (folder / "config.json").write_text("{")
    refused(folder, r"config\.json")


def test_a_tokenizer_or_processor_that_is_missing_or_does_not_match(tmp_path):
    network = make("BertForSequenceClassification", text_config("Bert", vocab_size=20))
    save(tmp_path / "m", network)
    refused(tmp_path / "m", r"holds no tokenizer .*tokenizer\.save_pretrained")
    word_tokenizer().save_pretrained(tmp_path / "m")
    last = len(WORDS) - 1
    refused(tmp_path / "m", rf"does not match the network: it makes ids up to {last} \('hard'\)")
    network = make("BertForSequenceClassification", text_config("Bert", vocab_size=3000))
    save(tmp_path / "m", network)
    refused(tmp_path / "m", "it has 32 tokens, and the network has embeddings for 3000")
    save(tmp_path / "v", make("ViTForImageClassification", IMAGES["ViT"][1]()))
    refused(tmp_path / "v", r"holds no preprocessor_config\.json")


def test_damaged_and_missing_weights(tmp_path):
    folder, _ = bert(tmp_path / "m")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    refused(folder, "its weights could not be read")
    weights.unlink()
    refused(folder, "its weights could not be read: .*no file named")


def test_options_that_do_nothing_are_refused(tmp_path):
    bert(tmp_path, BertModel)
    refused(tmp_path, r"opened as an encoder.*layer= does nothing", layer="x")
    refused(tmp_path, r"pooling='sum': it must be one of 'mean', 'cls'", pooling="sum")
    refused("minilm", r"pooling= does nothing for 'minilm': it is a packaged", pooling="cls")


def test_networks_for_sounds_are_refused(tmp_path):
    config = transformers.Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
        conv_dim=(8,), conv_stride=(5,), conv_kernel=(10,), num_feat_extract_layers=1,
        num_conv_pos_embedding_groups=2, num_conv_pos_embeddings=4,
    )  # fmt: skip
    save(tmp_path, make("Wav2Vec2Model", config))
    refused(tmp_path, "takes 'input_values'; networks for texts")


# --- names on the hub


def test_of_a_repository_the_settings_and_one_kind_of_weights_are_fetched():
    files = [
        "config.json", "tokenizer.json", "vocab.txt", "README.md", ".gitattributes", "spiece.model",
        "model.safetensors", "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack",
        "model.fp16.safetensors", "onnx/model.onnx", "onnx/config.json", "openvino/x.bin",
        "2_Dense/config.json", "2_Dense/pytorch_model.bin", "training_args.bin", "own.py",
    ]  # fmt: skip
    assert _wanted(files) == [
        "2_Dense/config.json", "2_Dense/pytorch_model.bin", "config.json", "model.safetensors",
        "spiece.model", "tokenizer.json", "vocab.txt",
    ]  # fmt: skip
    shards = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
    assert _wanted(shards) == shards


CODE = """
import clearhead, sys
for name in sys.argv[1:]:
    try:
        print(clearhead.open_backbone(name))
    except clearhead.errors.BackboneError as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("offline", "said"), [("1", "offline mode: HF_HUB_OFFLINE is set"), ("0", "be reached (")]
)
def test_without_a_network_the_cache_is_used_or_one_line_says_so(offline, said, tmp_path):
    cache = tmp_path / "hub" / "models--some-lab--small"
    bert(cache / "snapshots" / ("0" * 40), **names("bad", "good"))
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("0" * 40)
    environment = {"HF_HOME": str(tmp_path), "no_proxy": "*", "HF_HUB_OFFLINE": offline}
    if offline == "0":
        environment["HF_ENDPOINT"] = "http://127.0.0.1:9"  # where nobody listens
    ran = subprocess.run(
        [sys.executable, "-c", CODE, "some-lab/nothing", "some-lab/small"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    nowhere, cached = ran.stdout.splitlines()
    assert said in nowhere
    assert "hf download some-lab/nothing --local-dir FOLDER" in nowhere
    assert "Backbone('some-lab/small', text, 16 features → 2 outputs" in cached
    assert ran.stderr == ""


def test_paths_that_lead_nowhere(tmp_path):
    bert(tmp_path / "my-bert")
    refused(tmp_path / "my-brt", r"there is no such folder \(did you mean .*my-bert\?\)")
    refused(tmp_path, r"holds no config\.json")
    refused(tmp_path / "my-bert" / "config.json", "is a file; a network is a folder")
    with pytest.raises(BackboneError, match=r"spec is a int"):
        open_backbone(3)


def test_without_transformers_it_says_how_to_install_it(tmp_path, monkeypatch):
    bert(tmp_path)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'clearhead\[hf\]'"):
        open_backbone(tmp_path)
