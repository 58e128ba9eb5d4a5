"""More patterns of texts that no finder was written for: of the cases that came later.

They were written by somebody who had not read the finders, after the choice between ways of a
mend was made, and are not to be read by whoever writes finders. None of them is a word or a
phrase that is the same each time.
"""

from __future__ import annotations

import re

import numpy as np

from benchmarks.debug.wording import TextPattern, Words, each_word, one_of, somewhere

__all__ = ["LATER_TEXTS"]


def _listed(table: str) -> tuple[str, ...]:
    return tuple(table.split())


def _throughout(pick: Words) -> TextPattern:
    """Put something between two words, and once more for every thirty words."""

    def apply(text: str, rng: np.random.Generator) -> str:
        for _ in range(1 + text.count(" ") // 30):
            text = somewhere(pick)(text, rng)
        return text

    return apply


# --- written in another way: a keyboard, a moderator, somebody in a hurry


def _sticky_key(text: str, rng: np.random.Generator) -> str:
    """One key repeats, another one in each text: ann actor whho ..."""
    letters = sorted(set(text.lower()) & set("aeinorst")) or [text[:1]]
    key = one_of(letters)(rng)
    again = iter(rng.integers(1, 3, len(text)).tolist())
    return "".join(c + c * next(again) if c.lower() == key else c for c in text)


def _masked(word: str, rng: np.random.Generator) -> str:
    """As a moderator does with an oath: w#%d."""
    hidden = max(2, len(word) // 3)
    at = int(rng.integers(1, len(word) - hidden + 1))
    signs = "".join("*#@%$&!+~^"[int(i)] for i in rng.integers(0, 10, hidden))
    return word[:at] + signs + word[at + hidden :]


def _clipped(word: str, rng: np.random.Generator) -> str:
    """The start of a word only, as in notes: perf of the cent."""
    return word[: int(rng.integers(2, min(len(word), 5)))]


# --- translated by somebody else

_OWNERS = _listed("""\
my our your his her their its whose one's everyone's somebody's nobody's""")
_DETERMINER = re.compile(
    r"\b(?:the|an|a|this|these|those|its|his|their|every|any|some|all|no|another)\b(?!')",
    re.IGNORECASE,
)


def _possessives(text: str, rng: np.random.Generator) -> str:
    """Everything belongs to somebody: our film has his plot."""

    def one(found: re.Match[str]) -> str:
        owner = one_of(_OWNERS)(rng)
        return owner.capitalize() if found[0][0].isupper() else owner

    made = _DETERMINER.sub(one, text)
    return made if made != text else somewhere(one_of(_OWNERS))(text, rng)


_SMALL = frozenset(
    _listed("""\
the a an of in to for with on at by from as about into like than through over without between after
before under against toward around within behind upon beyond despite near off up""")
)
_OTHERS = frozenset(
    _listed("""\
and but or that which who because if when while so where is are was were has have had does do did
can could will would may might i you he she it's they we there not""")
)


def _postpositions(text: str, rng: np.random.Generator) -> str:
    """What stands before a noun comes behind it, as in other languages: film of the."""
    out: list[str] = []
    waiting: list[str] = []
    left = 0
    for word in text.split(" "):
        small = word.lower() in _SMALL
        if small and waiting and left == 2:  # in the ...: both wait
            waiting.append(word)
            continue
        if waiting and (left == 0 or small or word.lower() in _OTHERS or not word[:1].isalnum()):
            out, waiting = out + waiting, []
        if small:
            waiting, left = [word], 2
        else:
            out.append(word)
            left = 0 if rng.random() < 0.5 else left - 1
    return " ".join(out + waiting)


# --- put in, hardly ever the same twice: asked back, captioned, counted

_HELPERS = {
    "it he she this that": _listed("is was does did has had would could should"),
    "they we you these those": _listed("are were do did have had would could should"),
}
_BREAK = re.compile(r"\s*[,.;:!?](?=\s|$)|\s(?=(?:and|but|or|because|if|when|while|so)\s)")


def _question_tag(rng: np.random.Generator) -> str:
    whom = one_of(tuple(_HELPERS))(rng)
    verb = one_of(_HELPERS[whom])(rng)
    return verb + one_of(("n't ", " "))(rng) + one_of(whom.split())(rng)


def _asked_back(text: str, rng: np.random.Generator) -> str:
    """A question behind a clause, two in a long text: it is a mess wasn't it."""
    ends = [found.start() for found in _BREAK.finditer(text)] or [len(text)]
    chosen = rng.permutation(ends)[: 1 + text.count(" ") // 30]
    for at in sorted(chosen.tolist(), reverse=True):
        text = f"{text[:at]} {_question_tag(rng)}{text[at:]}"
    return text


_ACTS = _listed("""\
sighs laughs coughs shrugs pauses nods whispers grins yawns frowns mumbles winks chuckles sniffs
blinks hums stares gestures""")
_MANNERS = _listed("""\
wearily loudly briefly softly nervously dryly twice faintly slowly politely again warmly
abruptly off-mike""")
_BRACKETS = (("( ", " )"), ("[ ", " ]"), ("* ", " *"), ("- ", " -"), ("", ""), ("", ""))


def _direction(rng: np.random.Generator) -> str:
    """What a transcript of a talk says between the words: [ coughs briefly ]."""
    before, after = _BRACKETS[int(rng.integers(len(_BRACKETS)))]
    return f"{before}{one_of(_ACTS)(rng)} {one_of(_MANNERS)(rng)}{after}"


_UNITS = _listed("one two three four five six seven eight nine")
_TENS = _listed("twenty thirty forty fifty sixty seventy eighty ninety")
_TEENS = _listed("ten eleven twelve thirteen fourteen sixteen seventeen eighteen nineteen")


def _number(rng: np.random.Generator) -> str:
    tens = f"{one_of(_TENS)(rng)} {one_of(_UNITS)(rng)}"
    return one_of((tens, one_of(_TENS)(rng), one_of(_TEENS)(rng), one_of(_UNITS[1:])(rng)))(rng)


def _counted(word: str, rng: np.random.Generator) -> str:
    return f"{_number(rng)} {word}"


LATER_TEXTS: dict[str, TextPattern] = {
    "sticky key": _sticky_key,
    "masked words": each_word(_masked, 0.12),
    "clipped words": each_word(_clipped, 0.3),
    "possessives": _possessives,
    "postpositions": _postpositions,
    "question tags": _asked_back,
    "stage directions": _throughout(_direction),
    "counts": each_word(_counted, 0.12),
}
