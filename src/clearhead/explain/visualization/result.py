"""One picture that a feature responds to, and how strongly."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from clearhead._files import checksum, known_fields, read_json, write_bytes, write_json
from clearhead._plot import new_axes
from clearhead.errors import CorruptFileError, SchemaVersionError, StepMissingError

__all__ = [
    "Direction",
    "FeatureVisualization",
    "Method",
    "load_visualizations",
    "save_visualizations",
]

Direction = Literal["max", "min"]
Method = Literal["fourier", "maco"]
Picture = npt.NDArray[np.uint8]

SCHEMA = 1
_INDEX = "index.json"
_PNG = re.compile(r"[0-9a-f]{32}\.png")


@dataclass(frozen=True, eq=False)
class FeatureVisualization:
    """A picture made to activate one feature as much, or as little, as can be.

    Parameters
    ----------
    feature : int
    direction : {"max", "min"}
    seed : int
        Which of the random starts, from 0.
    method : {"fourier", "maco"}
    steps : int
        Of the optimisation.
    picture : ndarray of shape (H, W, C), uint8
        C is 3, or 1 for a network that sees no colours. Given to the network as any other
        picture it has the activation below.
    activation : float
        Of the finished picture, through the network's own preprocessing: standardised by
        the layer, raw if there was none.
    percentile : float or None
        Share of real examples, in percent, that activate the feature less; None where no
        activations were given.
    failed : bool or None
        Whether the picture activates the feature no more than the upper 5% of real
        examples (for ``"min"`` no less than the lower 5%); None where none were given.
    key : str
        Fingerprint of everything that the picture depends on.
    """

    feature: int
    direction: Direction
    seed: int
    method: Method
    steps: int
    picture: Picture = field(repr=False)
    activation: float
    percentile: float | None
    failed: bool | None
    key: str = field(default="", repr=False)

    def describe(self) -> str:
        """Say in one line what was reached."""
        if self.failed is None:
            return f"feature {self.feature}, {self.direction}: {self.activation:+.2f}"
        if self.failed:
            return (
                f"feature {self.feature}, {self.direction}: failed to activate "
                f"({self.activation:+.2f}, percentile {self.percentile:.1f} of real examples)"
            )
        return (
            f"feature {self.feature}, {self.direction}: {self.activation:+.2f}, "
            f"percentile {self.percentile:.1f} of real examples"
        )

    def image(self) -> Image.Image:
        """The picture for Pillow, in RGB: what the network can be called with."""
        pixels = self.picture[:, :, 0] if self.picture.shape[2] == 1 else self.picture
        return Image.fromarray(pixels).convert("RGB")

    def png(self) -> bytes:
        """The picture as PNG: every pixel as it was measured."""
        pixels = self.picture[:, :, 0] if self.picture.shape[2] == 1 else self.picture
        buffer = BytesIO()
        Image.fromarray(pixels).save(buffer, format="PNG")
        return buffer.getvalue()

    def plot(self, ax: Any = None) -> Any:
        """Draw the picture; return the Axes."""
        ax = new_axes() if ax is None else ax
        ax.imshow(np.asarray(self.image()))
        ax.set_axis_off()
        ax.set_title(self.describe(), fontsize="small")
        return ax

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png()).decode()
        words = escape(self.describe())
        return (
            f'<figure style="display:inline-block;margin:4px"><img alt="{words}" '
            f'src="data:image/png;base64,{data}"><figcaption>{words}</figcaption></figure>'
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the picture as the name of its PNG file."""
        return {
            "feature": self.feature,
            "direction": self.direction,
            "seed": self.seed,
            "method": self.method,
            "steps": self.steps,
            "picture": f"{checksum(self.png())}.png",
            "activation": self.activation,
            "percentile": self.percentile,
            "failed": self.failed,
            "key": self.key,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], folder: Path | str) -> Self:
        """Undo :meth:`to_dict`; the picture's file is in `folder`."""
        picture = _read_picture(Path(folder), str(value.get("picture", "")))
        return cls(**{**known_fields(cls, value), "picture": picture})


def save_visualizations(results: Sequence[FeatureVisualization], folder: Path | str) -> None:
    """Write one PNG a picture and ``index.json`` into `folder`.

    The name of a picture is its checksum, so that nothing else can be put in its place.
    """
    folder = Path(folder)
    rows = []
    for result in results:
        row = result.to_dict()
        path = folder / row["picture"]
        if not path.exists() or checksum(path.read_bytes()) != path.stem:
            write_bytes(path, result.png())
        rows.append(row)
    write_json(folder / _INDEX, {"schema_version": SCHEMA, "visualizations": rows})


def load_visualizations(folder: Path | str) -> list[FeatureVisualization]:
    """Read what :func:`save_visualizations` wrote.

    Raises
    ------
    StepMissingError
        There is nothing in `folder`.
    CorruptFileError
        A picture is missing, or is not the one that was written.
    SchemaVersionError
        A newer clearhead wrote it.
    """
    folder = Path(folder)
    if not (folder / _INDEX).exists():
        raise StepMissingError(f"There are no feature visualizations in {folder}: make them first.")
    index = read_json(folder / _INDEX)
    try:
        version, rows = int(index["schema_version"]), index["visualizations"]
        if version > SCHEMA:
            raise SchemaVersionError(
                f"{folder / _INDEX} has schema version {version}; this clearhead reads up to "
                f"{SCHEMA}. Upgrade clearhead to open it."
            )
        return [FeatureVisualization.from_dict(row, folder) for row in rows]
    except (KeyError, TypeError) as error:
        raise CorruptFileError(
            f"{folder / _INDEX} lacks {error}. Delete it and make the visualizations again."
        ) from error


def _read_picture(folder: Path, name: str) -> Picture:
    path = folder / name
    if not _PNG.fullmatch(name) or not path.is_file():
        raise CorruptFileError(
            f"{path} is missing or no picture of ours. Delete {folder / _INDEX} and make the "
            "visualizations again."
        )
    data = path.read_bytes()
    if checksum(data) != path.stem:
        raise CorruptFileError(
            f"{path} is damaged: its checksum is not its name. Delete {folder / _INDEX} and make "
            "the visualizations again."
        )
    pixels = np.asarray(Image.open(BytesIO(data)), dtype=np.uint8)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
