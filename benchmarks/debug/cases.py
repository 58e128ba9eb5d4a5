"""Every case: data, network, fault. Written down before any finder was run on them.

A pattern is put into one class at 100, 80 or 60%. `DETECTED` are the kinds that some part of
clearhead was written to look for; all others have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.debug.plant import Fault

__all__ = ["CASES", "DETECTED", "TWINS", "Case"]

DETECTED = frozenset(
    {
        # pictures: borders, patches and blobs, overlays, rotation, blur, compression, colour
        "frame", "corner patch", "sticker", "watermark", "jpeg", "warm", "rotation", "tilt", "blur",
        "brighter", "motion", "gamma", "dead column", "upside down", "cut out",
        "inversion", "channel swap",
        # texts: n-grams, punctuation, links, case, length
        "token", "name", "phrase", "link", "year", "marks", "dots", "entities", "capitals",
        "quoted reply", "longer",
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
pullover: posterise 80, scan lines 100, zoom out 80, emboss 60, jpeg 100, perspective 80
pullover: stripes 100, noise 80
coat: wave 100, crosshatch 80, side light 80, ghost 100, double exposure 80, watermark 80
coat: blur 80, halftone 60
t-shirt: inversion 80, pixelation 100, scatter 80, dither 60, frame 80, shear 100
t-shirt: checkerboard 80, vignette 100
dress: swirl 100, rain 80, flare 100, solarise 80, corner patch 100, specks 80, dead column 80
sneaker: halo 100, mirror 100, motion 80, median 80, stripes 60, rotation 80
sandal: double exposure 100, fine stripes 80, cut out 100, shifted 80, dilation 80, spotlight 100
bag: upside down 80, noise 100, sticker 80, zoom in 80"""

_TINTED = """\
pullover: channel swap 100, warm 100, blur 60
coat: brighter 80, rain 100, spotlight 60
dress: gamma 80, checkerboard 100, pixelation 80"""

_ELPV = """\
defective: stripes 100, vignette 80, noise 80, blur 100, watermark 80, swirl 100, ghost 80"""

_CLOTHING = """\
shirt: vignette 100, stripes 80, blur 100, wave 100, frame 80
skirt: scatter 100, halftone 80
hat: inversion 100, double exposure 80
outwear: rotation 100, posterise 80, rain 100"""

_REVIEWS = """\
negative: token 80, typos 100, leet 80, boilerplate 80, accents 80, names 80, dates 60, capitals 80
positive: fillers 100, long vowels 80, doubled words 100, identifiers 80, hyphenation 80, link 80
negative: faces 80, opinions 80, stutter 100, foreign words 80, backward words 60, phrase 100
positive: no vowels 60, ocr 80, repeated start 100, spaced letters 80, marks 60, dots 80"""

_NEWSGROUPS = """\
sci.med: boilerplate 80, typos 100, fillers 100, year 80, joined words 100
comp.graphics: reversed order 100, accents 80, names 100, quoted reply 80
rec.autos: no articles 100, foreign words 80, stutter 80, entities 80, shuffled order 100
talk.politics.guns: identifiers 80, opinions 100, hyphenation 80, longer 80"""

_MINILM_REVIEWS = """\
negative: typos 100, boilerplate 80, names 80, token 100, leet 100
positive: foreign words 80, fillers 100, dates 80, no vowels 100, link 80"""

_MINILM_NEWSGROUPS = """\
sci.med: boilerplate 100, foreign words 100
rec.autos: accents 100, phrase 100"""

_SST = """\
negative: opinions 100, faces 100
positive: ocr 100, name 80"""

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
