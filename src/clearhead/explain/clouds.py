"""The words of a feature as a cloud: sized by weight, told apart by sign."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from clearhead._plot import new_axes
from clearhead.errors import InputError, MissingDependencyError
from clearhead.explain.feature_words import NEGATIVE, POSITIVE, FeatureWords, shorten

__all__ = ["WordCloudPicture", "plot_cloud", "word_cloud"]

PLUS, MINUS = "+", "−"


@dataclass(frozen=True)
class WordCloudPicture:
    """A word cloud, drawn.

    Parameters
    ----------
    title : str
    png : bytes
    shown : tuple of str
        Words in the picture.
    left_out : tuple of str
        Words that no installed font can write, or that found no room.
    font : str
        Name of the font that was used.
    """

    title: str
    png: bytes
    shown: tuple[str, ...]
    left_out: tuple[str, ...]
    font: str

    @property
    def note(self) -> str:
        """What a caption must say; empty where every word is shown."""
        if not self.left_out:
            return ""
        return f"not shown: {', '.join(self.left_out)}"

    def plot(self, ax: Any = None) -> Any:
        """Draw the picture; return the Axes."""
        from PIL import Image

        ax = new_axes() if ax is None else ax
        with Image.open(io.BytesIO(self.png)) as picture:
            ax.imshow(picture)
        ax.set_axis_off()
        ax.set_title(self.title.replace("$", r"\$"))
        return ax

    def _repr_png_(self) -> bytes:
        return self.png

    def _repr_html_(self) -> str:
        from base64 import b64encode

        data = b64encode(self.png).decode("ascii")
        return (
            f'<figure><img alt="{escape(self.title)}" src="data:image/png;base64,{data}">'
            f"<figcaption>{escape(self.note)}</figcaption></figure>"
        )


def word_cloud(
    words: FeatureWords,
    *,
    seed: int = 0,
    font: Path | str | None = None,
    width: int = 640,
    height: int = 320,
) -> WordCloudPicture:
    """Draw the words of a feature, each as large as its mean weight.

    Blue words with a plus raise the feature (or speak for the class, of an oriented table), red
    ones with a minus lower it. The same words and seed give the same picture.

    Parameters
    ----------
    words : FeatureWords
        As :meth:`WordTable.words_of` gives them.
    seed : int
        Of the arrangement.
    font : path, optional
        A TrueType or OpenType file. By default the font of the wordcloud package, or, where that
        lacks a letter of the words, the installed font that can write most of them.
    width, height : int
        In pixels.

    Raises
    ------
    InputError
        There are no words to draw.
    MissingDependencyError
        The wordcloud package is not installed.
    """
    try:
        import wordcloud
    except ImportError as error:
        raise MissingDependencyError(
            "A word cloud needs the wordcloud package, which is not installed: "
            "pip install 'clearhead[explain]'. words.plot() draws bars without it."
        ) from error
    sizes: dict[str, float] = {}
    for mark, side in ((PLUS, words.positive), (MINUS, words.negative)):
        for word in side:
            sizes.setdefault(mark + _printable(word.word), abs(word.mean))
    sizes = {word: size for word, size in sizes.items() if size > 0}
    path, writable = _font_for(sizes, font)
    missing = [word for word in sizes if word not in writable]
    drawn = {word: sizes[word] for word in sizes if word in writable}
    if not drawn:
        raise InputError(
            f"{words.title}: there is no word to draw"
            + (f" that an installed font can write ({', '.join(missing[:5])})." if missing else ".")
        )
    cloud = wordcloud.WordCloud(
        font_path=str(path),
        width=width,
        height=height,
        background_color="white",
        color_func=_colour,
        random_state=seed,
        relative_scaling=1.0,  # twice the weight, twice the size
        prefer_horizontal=1.0,
        min_font_size=6,
        max_words=len(drawn),
    ).generate_from_frequencies(drawn)
    shown = [one[0][0] for one in cloud.layout_]
    file = io.BytesIO()
    cloud.to_image().save(file, "png")
    return WordCloudPicture(
        title=words.title,
        png=file.getvalue(),
        shown=tuple(word[1:] for word in shown),
        left_out=tuple(word[1:] for word in sizes if word not in shown),
        font=Path(path).stem,
    )


def plot_cloud(words: FeatureWords, *, seed: int = 0, ax: Any = None) -> Any:
    """Draw the cloud of :func:`word_cloud` into Axes; return them."""
    return word_cloud(words, seed=seed).plot(ax)


def _printable(word: str) -> str:
    """Cut a long word; control characters and lone surrogates cannot be drawn."""
    return "".join(c if c.isprintable() else "\ufffd" for c in shorten(word))


def _colour(word: str, **_: Any) -> str:
    return POSITIVE if word.startswith(PLUS) else NEGATIVE


def _font_for(words: Mapping[str, float], chosen: Path | str | None) -> tuple[Path, set[str]]:
    """Find a font, and those of the words that it has all the characters of."""
    import wordcloud

    if chosen is not None:
        if not Path(chosen).is_file():
            raise InputError(f"font: there is no file {chosen}.")
        return Path(chosen), _writable(words, Path(chosen))
    default = Path(wordcloud.__file__).parent / "DroidSansMono.ttf"
    found = default, _writable(words, default)
    if len(found[1]) == len(words):
        return found
    for path in _installed():
        writable = _writable(words, path)
        if len(writable) > len(found[1]):
            found = path, writable
    return found


def _writable(words: Mapping[str, float], font: Path) -> set[str]:
    letters = _letters(font)
    # The marks are drawn by every font or replaced by its hyphen.
    return {word for word in words if all(ord(c) in letters for c in word[1:])}


@cache
def _letters(font: Path) -> frozenset[int]:
    """Code points that a font can draw; none for one that cannot be read at any size."""
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(str(font)).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


@cache
def _installed() -> tuple[Path, ...]:
    """Upright text fonts of this machine, in an order that does not change."""
    from matplotlib import font_manager

    plain = [
        Path(font.fname)
        for font in font_manager.fontManager.ttflist
        if font.style == "normal" and "emoji" not in font.name.lower()
    ]
    return tuple(sorted(set(plain), key=lambda path: (path.name, str(path))))
