"""Networks for pictures in folders, as transformers saves them."""

import json

import pytest
import torch
import transformers

from clearhead.backbones import open_backbone

from .checkpoints import make, save
from .huggingface_folders import PROCESSORS, check_classifier, names, pictures, processor
from .test_architectures import IMAGES


@pytest.mark.parametrize("kind", PROCESSORS)
def test_a_classifier_of_pictures_from_a_folder(kind, tmp_path):
    layer, config = IMAGES[kind]
    network = make(f"{kind}ForImageClassification", config(**names("cat", "dog", "eel")))
    save(tmp_path, network, processor(PROCESSORS[kind]))
    backbone = open_backbone(tmp_path)
    assert (backbone.modality, backbone.layer) == ("image", layer)
    assert backbone.class_names == ("cat", "dog", "eel")
    check_classifier(backbone, network, pictures())
    assert PROCESSORS[kind] == backbone.preprocessing.describe()["class"]
    before = backbone.fingerprints
    settings = json.loads((tmp_path / "preprocessor_config.json").read_text())
    settings["image_mean"] = [0.1, 0.2, 0.3]
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    after = open_backbone(tmp_path).fingerprints
    assert [key for key in before if before[key] != after[key]] == ["preprocessing"]


def test_the_image_tower_of_clip(tmp_path):
    network = make("CLIPModel", IMAGES["CLIP"][1]())
    save(tmp_path, network, processor("BitImageProcessorPil"))
    backbone = open_backbone(tmp_path)
    assert (backbone.modality, backbone.layer, backbone.n_features) == ("image", None, 8)
    batch = backbone.prepare(pictures())
    with torch.no_grad():
        vision = network.vision_model(**batch.kwargs).pooler_output
        wanted = network.visual_projection(vision)
    torch.testing.assert_close(backbone.features(batch), wanted, rtol=1e-4, atol=1e-5)
    assert not [name for name, _ in backbone.module.named_parameters() if "text" in name]
    tokens = open_backbone(tmp_path, pooling="mean")
    assert tokens.n_features == 16  # before the projection


@pytest.mark.parametrize(
    ("kind", "options", "pooling"),
    [
        ("ViT", {"add_pooling_layer": True}, "pooler"),
        ("ViT", {"add_pooling_layer": False}, "cls"),
        ("ConvNext", {}, "pooler"),
        ("Dinov2", {}, "pooler"),
    ],
)
def test_an_encoder_of_pictures(kind, options, pooling, tmp_path):
    network = make(getattr(transformers, f"{kind}Model"), IMAGES[kind][1]())
    if options.get("add_pooling_layer") is False:
        network = make(lambda c: transformers.ViTModel(c, **options), IMAGES[kind][1]())
    save(tmp_path, network, processor(PROCESSORS[kind]))
    backbone = open_backbone(tmp_path)
    batch = backbone.prepare(pictures())
    with torch.no_grad():
        output = network(**batch.kwargs)
    wanted = output.pooler_output if pooling == "pooler" else output.last_hidden_state[:, 0]
    torch.testing.assert_close(backbone.features(batch), wanted.flatten(1), rtol=1e-4, atol=1e-5)
    assert (backbone.module.pooling, backbone.activation, backbone.head) == (pooling, None, None)
