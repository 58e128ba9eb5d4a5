"""Networks and processors in folders, as transformers saves them; and what every one must keep."""

import pytest
import torch
import transformers

from clearhead.backbones import open_backbone
from clearhead.errors import BackboneError

from .checkpoints import make, save, text_config, word_tokenizer


def names(*labels):
    return {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: i for i, label in enumerate(labels)},
    }


def bert(folder, kind="BertForSequenceClassification", **options):
    network = make(kind, text_config("Bert", **options))
    return save(folder, network, word_tokenizer()), network


def own_logits(network, batch):
    with torch.no_grad():
        output = network(**batch.kwargs)
    return output if isinstance(output, torch.Tensor) else output.logits


def check_classifier(backbone, network, examples):
    """Its outputs are the network's own, its features give them, and padding changes nothing."""
    batch = backbone.prepare(examples)
    features, (weight, bias) = backbone.features(batch), backbone.head
    wanted = own_logits(network, batch)
    torch.testing.assert_close(backbone.forward(batch), wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(features @ weight.T + bias, wanted, rtol=1e-4, atol=1e-5)
    alone = torch.cat([backbone.features(backbone.prepare([one])) for one in examples])
    torch.testing.assert_close(alone, features, rtol=1e-4, atol=1e-5)


def refused(folder, match, **options):
    with pytest.raises(BackboneError, match=match) as caught:
        open_backbone(folder, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


PROCESSORS = {
    "ViT": "ViTImageProcessorPil",
    "Swin": "ViTImageProcessorPil",
    "ConvNext": "ConvNextImageProcessorPil",
    "ResNet": "ConvNextImageProcessorPil",
    "Dinov2": "BitImageProcessorPil",
    "Beit": "BeitImageProcessorPil",
}


def processor(kind):
    size = {"height": 32, "width": 32}
    if kind == "ConvNextImageProcessorPil":
        size = {"shortest_edge": 32}
    options = {"crop_size": size} if kind == "BitImageProcessorPil" else {}
    if kind == "BitImageProcessorPil":
        options["size"] = {"shortest_edge": 36}
    else:
        options["size"] = size
    return getattr(transformers, kind)(**options)


def pictures():
    from PIL import Image

    noise = torch.randint(0, 255, (50, 70, 3), generator=torch.Generator().manual_seed(5))
    plain = Image.new("RGB", (64, 40), (200, 30, 10))
    return [Image.fromarray(noise.byte().numpy()), plain, plain.convert("L")]
