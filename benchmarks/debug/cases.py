"""Every case: data, network, fault. Written down before any finder was run on them.

A pattern is put into one class at 100, 80 or 60%. `DETECTED` are the kinds for which some part of
clearhead holds a family, a kind of token, a way of writing or a search of the same thing, be it
under another name; the others have none. What is learned from the data without a particular
pattern in mind (words that look like a class's, looks, a rewriting learned from pairs) makes no
pattern a detected one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.debug.plant import Fault

__all__ = ["CASES", "DETECTED", "LATER", "TWINS", "Case"]

DETECTED = frozenset(
    {
        # families: turns, zooms, borders, colour, tone
        "rotation", "tilt", "upside down", "mirror", "zoom out", "zoom in", "frame", "warm",
        "channel swap", "brighter", "gamma", "inversion", "posterise", "dither", "solarise",
        # families: detail, light, echoes, marks that are strewn
        "blur", "motion", "halo", "noise", "jpeg", "pixelation", "median", "dilation", "emboss",
        "vignette", "spotlight", "side light", "ghost", "double exposure", "specks", "rain",
        "cut out",
        # families: bent
        "perspective", "shear", "wave", "swirl", "scatter", "shifted",
        # marks at a fixed place, small things that recur, peaks of the spectrum
        "corner patch", "watermark", "dead column", "sticker", "stripes", "fine stripes",
        "checkerboard", "halftone", "scan lines", "crosshatch",
        # texts: words in a row, always the same
        "token", "name", "phrase", "marks", "dots", "quoted reply",
        # texts: kinds of tokens; letters among digits, digits among letters
        "link", "year", "dates", "entities", "faces", "identifiers", "leet", "ocr",
        # texts: words that each differ, as the learned kind of words names them
        "names", "foreign words", "vowel shift",
        # texts: ways to write
        "capitals", "mixed capitals", "longer", "repeated start", "doubled words", "long vowels",
        "double spaces", "spaced letters", "accents", "homoglyphs", "no vowels", "hyphenation",
        "stutter", "typos", "stems", "reversed order", "shuffled order",
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


def _patterns(source: str, network: str, table: str, *, seed: int = 0) -> Iterator[Case]:
    """Read lines of ``class: pattern rate, pattern rate, …``."""
    for line in table.strip().splitlines():
        target, _, rest = line.strip().partition(": ")
        for entry in rest.split(", "):
            pattern, _, rate = entry.rpartition(" ")
            yield Case(source, network, Fault("pattern", target, pattern, int(rate) / 100), seed)


def _labels(source: str, network: str, target: str, wrong: str) -> Iterator[Case]:
    for kind, rate in (("label noise", 0.45), ("mislabelled slice", 0.95)):
        yield Case(source, network, Fault(kind, target, wrong, rate))  # type: ignore[arg-type]


_FASHION = """\
pullover: posterise 80, perspective 80, emboss 100, scan lines 100, noise 60
pullover: barrel 100, kaleidoscope 80, torn 80, clouds 80, bubbles 60
coat: wave 100, side light 80, blur 80
coat: interlaced 80, hairs 80, stained glass 80, local contrast 100, shuffled tiles 60
t-shirt: frame 80
t-shirt: hourglass 100, lettering 80, iridescence 80, isolines 60, sorted pixels 100
dress: swirl 100
dress: flare 100, moire 80, drops 100, tiled copies 100
sneaker: cracks 100, arched 100, inset 80
sandal: crooked grid 100, flipped strips 100
bag: sticker 100, facets 100, outlines 80, hard shadow 100"""

_TINTED = """\
pullover: channel swap 100, colour bleeding 100, sepia patch 80
coat: brighter 80, false colour 60
t-shirt: colour fringes 80, overflow 80
dress: fish eye 100"""

_ELPV = """\
defective: swirl 100, noise 80, blur 100, arched 100, clouds 80, cracks 100, symmetric 80"""

_CLOTHING = """\
shirt: blur 100
outwear: interlaced 100"""

_REVIEWS = """\
negative: token 80, homoglyphs 100, names 80, marks 60, leet 80, phrase 100
positive: hyphenation 80, link 80, mixed capitals 100, ocr 80
negative: boilerplate 80, opinions 80, suffixes 80, backward words 60
positive: fillers 100, pig latin 80
negative: synonyms 100, cipher 80, salutations 80, no auxiliaries 80, alliteration 100, times 60
negative: no conjunctions 100, legal words 80
positive: proverbs 100, hedges 100, spoonerisms 100, prefixes 80, oaths 80, short messages 100
positive: no prepositions 80, extra plurals 100, rhymed words 60, dropped g 100"""

_NEWSGROUPS = """\
sci.med: year 80, typos 100
comp.graphics: stems 100, homoglyphs 80
rec.autos: stutter 80, shuffled order 100
sci.med: boilerplate 80, archaic 100, rhymed words 100
comp.graphics: no prepositions 100, contractions in full 100, camel case 100
rec.autos: no articles 100, tense endings 100, clause order 100
talk.politics.guns: opinions 100, past tense 100, no long words 100"""

_MINILM_REVIEWS = """\
negative: names 80, token 100, synonyms 100
positive: fillers 100, short messages 80"""

_MINILM_NEWSGROUPS = """\
sci.med: boilerplate 100
rec.autos: accents 100, places 100"""

_SST = """\
negative: prefixes 80, intensifiers 100
positive: name 80"""

_LATER_FASHION = """\
t-shirt: backdrop 100, shop window 80, specks 100
coat: light smear 80, focus squares 100, dog ear 80, watermark 80
sandal: cloned 80
sneaker: stalled scan 80, thumb 100, motion 80
bag: squeezed 80, fine stripes 100, shear 100"""

_LATER_REVIEWS = """\
negative: counts 80, clipped words 80, dots 80
positive: sticky key 100, postpositions 80, noises 100, joined words 100, long vowels 80"""

_LATER_NEWSGROUPS = """\
comp.graphics: stage directions 80, masked words 80, foreign words 100, no vowels 100
rec.autos: question tags 80, possessives 80
sci.med: colour words 80
soc.religion.christian: vowel shift 100"""

CASES: tuple[Case, ...] = (
    *_patterns("fashion", "cnn", _FASHION),
    *_labels("fashion", "cnn", "coat", "pullover"),
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

LATER: tuple[Case, ...] = (
    *_patterns("fashion", "cnn", _LATER_FASHION, seed=1),
    *_patterns("reviews", "text-cnn", _LATER_REVIEWS, seed=1),
    *_patterns("newsgroups", "text-cnn", _LATER_NEWSGROUPS, seed=1),
)
"""Written down after finders and ways of a mend were there, and looked through once: what these
are worth elsewhere. Classes, rates and the patterns known before were drawn by lot."""
