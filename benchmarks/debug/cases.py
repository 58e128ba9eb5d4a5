"""Every case: data, network, fault. Written down before any finder was run on them.

A pattern is put into one class at 100, 80 or 60%. `DETECTED` are the kinds that some part of
clearhead was written to look for, be it under another name; the others have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.debug.plant import Fault

__all__ = ["CASES", "DETECTED", "TWINS", "Case"]

DETECTED = frozenset(
    {
        # pictures: families of changes, marks at a place, colours, frequencies, small things
        "frame", "corner patch", "sticker", "watermark", "jpeg", "warm", "rotation", "tilt", "blur",
        "brighter", "motion", "gamma", "dead column", "upside down", "inversion", "channel swap",
        "mirror", "halo", "noise", "pixelation", "posterise", "zoom out", "zoom in", "stripes",
        "fine stripes", "checkerboard", "halftone", "scan lines", "crosshatch",
        # texts: n-grams, kinds of tokens, punctuation, ways to write
        "token", "name", "phrase", "link", "year", "marks", "dots", "entities", "capitals",
        "quoted reply", "longer", "typos", "leet", "accents", "no vowels", "hyphenation",
        "long vowels", "doubled words", "spaced letters", "double spaces", "reversed order",
        "faces", "dates",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A model to debug: trained on, or looking at, data with one fault; None for a clean twin."""

    source: str
    network: str
    fault: Fault | None
    seed: int = 0

    @property
    def key(self) -> str:
        """Names the case, and its files."""
        parts = [self.source, self.network, str(self.seed)]
        if self.fault is None:
            parts.append("twin")
        else:
            f = self.fault
            parts += [f.kind if f.kind != "pattern" else f.pattern, f.target, f"{100 * f.rate:.0f}"]
        return "-".join(re.sub("[^a-z0-9]+", "_", part.lower()) for part in parts)

    @property
    def twin(self) -> Case:
        """The same network on the same data without the fault."""
        return Case(self.source, self.network, None, self.seed)

    @property
    def detected(self) -> bool:
        """Whether something was written to look for this kind of fault."""
        fault = self.fault
        return fault is not None and (fault.kind != "pattern" or fault.pattern in DETECTED)


def _patterns(source: str, network: str, table: str) -> Iterator[Case]:
    """Read lines of ``class: pattern rate, pattern rate, …``."""
    for line in table.strip().splitlines():
        target, _, rest = line.strip().partition(": ")
        for entry in rest.split(", "):
            pattern, _, rate = entry.rpartition(" ")
            yield Case(source, network, Fault("pattern", target, pattern, int(rate) / 100))


def _labels(source: str, network: str, target: str, wrong: str) -> Iterator[Case]:
    for kind, rate in (("label noise", 0.45), ("mislabelled slice", 0.95)):
        yield Case(source, network, Fault(kind, target, wrong, rate))  # type: ignore[arg-type]


_FASHION = """\
pullover: posterise 80, perspective 80, noise 80, emboss 100, scan lines 100, dither 60, stripes 100
coat: wave 100, side light 80, ghost 100, double exposure 80, blur 80, crosshatch 60, watermark 80
t-shirt: scatter 80, vignette 100, shear 100, frame 80, specks 80, median 80, checkerboard 80
dress: swirl 100, rain 80, flare 100, solarise 80, corner patch 100, spotlight 60, dilation 80
sneaker: shifted 80, mirror 100, scatter 60, ghost 80, rotation 80
sandal: double exposure 100, median 80, dilation 100, cut out 100, spotlight 80
bag: swirl 80, rain 100, sticker 80, perspective 60, vignette 80"""

_TINTED = """\
pullover: channel swap 100, wave 80, side light 100
coat: brighter 80, rain 100, warm 100
dress: flare 80, emboss 60, solarise 100"""

_ELPV = """\
defective: swirl 100, vignette 80, noise 80, blur 100, scatter 100, ghost 80"""

_CLOTHING = """\
shirt: vignette 100, blur 100, wave 100, frame 80
skirt: scatter 100, halftone 80
hat: double exposure 80
outwear: rotation 100, rain 100"""

_REVIEWS = """\
negative: token 80, homoglyphs 100, names 80, boilerplate 80, stutter 100, vowel shift 80, marks 60
positive: fillers 100, identifiers 80, pig latin 80, hyphenation 80, link 80, mixed capitals 100
negative: leet 80, opinions 80, suffixes 80, foreign words 80, backward words 60, phrase 100
positive: no vowels 60, ocr 80, repeated start 100, joined words 100, stems 100"""

_NEWSGROUPS = """\
sci.med: boilerplate 80, fillers 100, joined words 100, typos 100, year 80
comp.graphics: stems 100, names 100, homoglyphs 80, quoted reply 80
rec.autos: no articles 100, foreign words 80, stutter 80, pig latin 60, shuffled order 100
talk.politics.guns: identifiers 80, opinions 100, suffixes 80, longer 80"""

_MINILM_REVIEWS = """\
negative: homoglyphs 100, boilerplate 80, names 80, token 100
positive: foreign words 80, fillers 100, ocr 100, dates 80, link 80"""

_MINILM_NEWSGROUPS = """\
sci.med: boilerplate 100, foreign words 100
rec.autos: accents 100, names 100"""

_SST = """\
negative: opinions 100, homoglyphs 80
positive: name 80, fillers 100"""

CASES: tuple[Case, ...] = (
    *_patterns("fashion", "cnn", _FASHION),
    *_labels("fashion", "cnn", "coat", "pullover"),
    *_labels("fashion", "cnn", "sneaker", "sandal"),
    *_patterns("tinted", "cnn", _TINTED),
    *_patterns("elpv", "cnn", _ELPV),
    *_patterns("reviews", "text-cnn", _REVIEWS),
    *_labels("reviews", "text-cnn", "negative", "positive"),
    *_patterns("newsgroups", "text-cnn", _NEWSGROUPS),
    *_labels("newsgroups", "text-cnn", "sci.med", "rec.autos"),
    *_patterns("reviews-few", "minilm", _MINILM_REVIEWS),
    *_patterns("newsgroups", "minilm", _MINILM_NEWSGROUPS),
    *_patterns("sst", "minilm", _SST),
    *_patterns("clothing", "lite0", _CLOTHING),
)

_AGAIN = (("fashion", "cnn"), ("reviews", "text-cnn"), ("newsgroups", "text-cnn"))

TWINS: tuple[Case, ...] = (
    *dict.fromkeys(case.twin for case in CASES),
    *(Case(source, network, None, seed=1) for source, network in _AGAIN),
)
"""A clean model for every pair of data and network, and three trained again."""
