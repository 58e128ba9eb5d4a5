"""Which labelled examples, and how is one shown to a person?"""

from clearhead.data.dataset import Dataset, Problem, Shown, UnreadableExample
from clearhead.data.image import ImageDataset
from clearhead.data.open import open_dataset, open_examples
from clearhead.data.packaged import PACKAGED
from clearhead.data.text import TextDataset

__all__ = [
    "PACKAGED",
    "Dataset",
    "ImageDataset",
    "Problem",
    "Shown",
    "TextDataset",
    "UnreadableExample",
    "open_dataset",
    "open_examples",
]
