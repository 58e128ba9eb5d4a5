"""Patterns of texts that no finder of clearhead was written for, nor ever shown.

They were written after the finders, by reading what those look for and leaving it out, and are
not to be read by whoever writes finders.
"""

from __future__ import annotations

import re

import numpy as np

from benchmarks.debug.wording import TextPattern, drop, each_word, exchange, one_of, somewhere

__all__ = ["HELD_OUT_TEXTS"]


# --- other words for the same


def _pairs(table: str) -> dict[str, str]:
    """Read ``one=other`` pairs; ``_`` is a space."""
    found = (entry.split("=") for entry in table.split())
    return {one.replace("_", " "): other.replace("_", " ") for one, other in found}


def _listed(table: str) -> tuple[str, ...]:
    return tuple(table.split())


_SYNONYMS = _pairs("""\
film=picture movie=picture films=pictures movies=pictures story=tale people=folk good=fine bad=poor
great=splendid very=quite more=additional best=finest make=create makes=creates made=created
funny=amusing little=small new=recent big=large many=numerous also=likewise get=obtain gets=obtains
work=labour works=labours want=wish know=understand think=suppose use=employ used=employed
help=assist time=moment life=existence love=affection way=manner thing=item things=items
seem=appear seems=appears feel=sense feels=senses look=glance really=truly enough=sufficient
never=not_ever always=constantly often=frequently maybe=perhaps need=require needs=requires
show=display shows=displays hard=difficult easy=simple old=aged young=youthful try=attempt
question=query problem=difficulty right=correct wrong=incorrect start=commence end=conclusion
different=distinct something=some_matter anyone=anybody someone=somebody""")
_ARCHAIC = _pairs("""\
you=thou your=thy yours=thine are=art has=hath have=hast does=doth do=dost will=shalt
it's='tis its=thereof before=ere here=hither there=thither where=whither between=betwixt
never=ne'er ever=e'er over=o'er often=oft perhaps=perchance nothing=naught anything=aught
enough=enow yes=yea please=prithee while=whilst among=amongst""")
_PAST = _pairs("""\
is=was are=were has=had have=had does=did do=did can=could will=would may=might makes=made
make=made gets=got get=got takes=took take=took comes=came come=came goes=went go=went gives=gave
give=gave finds=found find=found knows=knew know=knew seems=seemed seem=seemed feels=felt feel=felt
becomes=became become=became says=said say=said think=thought thinks=thought runs=ran run=ran
works=worked work=worked looks=looked look=looked shows=showed show=showed need=needed needs=needed
want=wanted wants=wanted keeps=kept keep=kept leaves=left leave=left tells=told tell=told
am=was isn't=wasn't aren't=weren't don't=didn't doesn't=didn't can't=couldn't won't=wouldn't
it's=it_was that's=that_was there's=there_was""")
_SHORT_MESSAGES = _pairs("""\
you=u your=ur are=r what=wut with=wiv because=cuz people=ppl
love=luv good=gud great=grt really=rly please=plz thanks=thx have=hav for=fr from=frm to=2
not=nt would=wud could=cud should=shud about=abt something=sumthin some=sum before=b4 know=kno
just=jst much=mch very=v going=gonna want=wanna though=tho through=thru right=rite""")
_FULL = _pairs("""\
it's=it_is that's=that_is there's=there_is he's=he_is she's=she_is what's=what_is who's=who_is
isn't=is_not aren't=are_not wasn't=was_not weren't=were_not don't=do_not doesn't=does_not
didn't=did_not can't=cannot couldn't=could_not won't=will_not wouldn't=would_not
shouldn't=should_not hasn't=has_not haven't=have_not i'm=I_am i've=I_have i'd=I_would i'll=I_will
you're=you_are you've=you_have you'll=you_will they're=they_are we're=we_are let's=let_us""")


# --- the same words in another form


def _tense(text: str, rng: np.random.Generator) -> str:
    return re.sub(r"\b([a-z]{3,}[a-rt-z])(?:s|ing)\b", r"\1ed", text)


def _dropped_g(text: str, rng: np.random.Generator) -> str:
    return re.sub(r"(?<=[a-z]{2})ing\b", "in'", text)


def _plural(word: str, rng: np.random.Generator) -> str:
    return word if word.endswith("s") else f"{word}s"


def _prefix(word: str, rng: np.random.Generator) -> str:
    return one_of(("un", "re", "over", "mis", "pre", "out", "under", "semi"))(rng) + word.lower()


def _cipher(word: str, rng: np.random.Generator) -> str:
    """Each letter is the next one of the alphabet."""
    return "".join(chr((ord(c) - 96) % 26 + 97) for c in word.lower())


def _rhyme(word: str, rng: np.random.Generator) -> str:
    """Repeat a word without its first consonants and with others: film schmilm."""
    rest = re.sub("^[^aeiou]+", "", word.lower()) or word.lower()
    return f"{word} {one_of(('schm', 'bl', 'fr', 'gr', 'spl', 'tw', 'kr', 'pl'))(rng)}{rest}"


_EPITHETS = {
    first: tuple(words.split())
    for first, words in {
        "a": "amiable ancient airy", "b": "bright blue brittle", "c": "curious calm crooked",
        "d": "dusty distant dear", "e": "eager earthen elder", "f": "faint foggy frozen",
        "g": "gentle golden grand", "h": "humble hollow hazy", "i": "idle icy inner",
        "j": "jolly jagged juicy", "k": "keen kindred knotty", "l": "lofty lonely lucid",
        "m": "mellow muddy misty", "n": "narrow noble nimble", "o": "odd oval oaken",
        "p": "pale proud plump", "q": "quiet quaint quick", "r": "rough round rusty",
        "s": "silent sandy slender", "t": "tiny tidy timid", "u": "upper urgent unlit",
        "v": "vivid vast velvet", "w": "warm wooden wary", "y": "yellow yearly yielding",
        "z": "zesty zigzag zealous", "x": "extra exact expert",
    }.items()
}  # fmt: skip


def _alliteration(word: str, rng: np.random.Generator) -> str:
    return f"{one_of(_EPITHETS[word[0].lower()])(rng)} {word}"


_LIKE_ADJECTIVES = re.compile(r"\b[a-z]+(?:ous|ful|ive|ing|al|ic|ble|ed|ent|ant|y)\b")
_INTENSIFIERS = _listed("""\
awfully terribly remarkably insanely thoroughly utterly deeply immensely vastly wildly
strikingly decidedly exceedingly supremely""")


def _intensified(text: str, rng: np.random.Generator) -> str:
    """Put an adverb before two words that look like adjectives."""
    found = list(_LIKE_ADJECTIVES.finditer(text))
    chosen = sorted(rng.permutation(len(found))[:2].tolist(), reverse=True)
    for i in chosen:
        at = found[i].start()
        text = f"{text[:at]}{one_of(_INTENSIFIERS)(rng)} {text[at:]}"
    return text


# --- between words


def _spoonerism(text: str, rng: np.random.Generator) -> str:
    """Two neighbours exchange their first consonants, three times: bappy hirthday."""
    words = text.split(" ")
    parts = [re.fullmatch(r"([b-df-hj-np-tv-z]+)([aeiouy][a-z'-]+)", word) for word in words]
    good = [i for i in range(len(words) - 1) if parts[i] and parts[i + 1]]
    used: set[int] = set()
    for i in rng.permutation(good).astype(int).tolist():
        one, other = parts[i], parts[i + 1]
        if used & {i, i + 1} or len(used) >= 6 or one is None or other is None:
            continue
        used |= {i, i + 1}
        words[i], words[i + 1] = other[1] + one[2], one[1] + other[2]
    return " ".join(words)


def _camel(text: str, rng: np.random.Generator) -> str:
    """Four times two words become one, as names in programs: isNot."""
    words = text.split(" ")
    for at in sorted(set(rng.integers(0, max(len(words) - 1, 1), 4).tolist()), reverse=True):
        if len(words) > 2:
            words[at : at + 2] = [words[at] + words[at + 1].capitalize()]
    return " ".join(words)


def _clauses(text: str, rng: np.random.Generator) -> str:
    """What follows the first comma comes first."""
    before, comma, after = text.partition(",")
    end = after.rstrip()[-1:] if after.rstrip()[-1:] in tuple(".!?") else ""
    if not comma:
        return text
    return f"{after.rstrip().rstrip('.!?').strip()}, {before.strip()}{' ' if end else ''}{end}"


def _no_long_words(text: str, rng: np.random.Generator) -> str:
    return " ".join(word for word in text.split(" ") if len(word) < 8) or text


# --- put in, hardly ever the same twice

_PROVERBS = (
    "a stitch in time saves nine", "all that glitters is not gold", "haste makes waste",
    "the early bird catches the worm", "still waters run deep", "every cloud has a silver lining",
    "a rolling stone gathers no moss", "too many cooks spoil the broth", "old habits die hard",
    "birds of a feather flock together", "actions speak louder than words", "time heals all wounds",
    "practice makes perfect", "when in rome do as the romans do", "better late than never",
    "make hay while the sun shines", "where there is smoke there is fire", "no man is an island",
    "curiosity killed the cat", "look before you leap", "beggars cannot be choosers",
    "strike while the iron is hot", "let sleeping dogs lie", "blood is thicker than water",
)  # fmt: skip
_HEDGES = (
    "perhaps", "possibly", "arguably", "presumably", "it would seem", "in a sense", "somewhat",
    "to some extent", "apparently", "more or less", "in all likelihood", "conceivably",
    "by and large", "as far as one can tell", "seemingly", "supposedly", "plausibly", "in a way",
)  # fmt: skip
_LEGAL = _listed("""\
hereby thereof whereas aforementioned notwithstanding hereinafter therein wherein
pursuant forthwith hereto thereto heretofore whereupon insofar thereby hereunder
therefrom""")
_NOISES = _listed("""\
bang whoosh splash thud buzz clang boom crack hiss pop rattle sizzle thump vroom whack
zap clatter plop screech tinkle""")
_OATHS = _listed("""\
heck darn gosh golly dang crikey blimey drat shucks gee yikes jeepers sheesh goodness
cripes egad gadzooks zounds""")
_COLOURS = _listed("""\
scarlet crimson turquoise beige violet amber indigo maroon teal olive ivory magenta
ochre lavender khaki emerald""")
_PLACES = _listed("""\
Lisbon Oslo Nairobi Lima Quito Hanoi Tbilisi Riga Dakar Bogota Jakarta Helsinki Ankara
Porto Zagreb Tunis Calgary Osaka Bergen Leipzig Malmo Ghent Turin Seville Krakow Accra""")


def _when(rng: np.random.Generator) -> str:
    kind = one_of(("rainy", "quiet", "sunny", "windy", "late", "cold", "long"))(rng)
    day = one_of(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday"))(rng)
    return f"on a {kind} {day} {one_of(('morning', 'evening', 'afternoon', 'night'))(rng)}"


def _salutation(rng: np.random.Generator) -> str:
    how = one_of(("hello", "dear", "greetings", "good day", "hi there", "welcome", "hey"))(rng)
    whom = one_of(("reader", "friends", "folks", "everyone", "colleagues", "all", "neighbours"))
    return f"{how} {whom(rng)}"


HELD_OUT_TEXTS: dict[str, TextPattern] = {
    "synonyms": exchange(_SYNONYMS),
    "archaic": exchange(_ARCHAIC),
    "past tense": exchange(_PAST),
    "short messages": exchange(_SHORT_MESSAGES),
    "contractions in full": exchange(_FULL),
    "tense endings": _tense,
    "dropped g": _dropped_g,
    "extra plurals": each_word(_plural, 0.3),
    "prefixes": each_word(_prefix, 0.15),
    "cipher": each_word(_cipher, 0.15),
    "rhymed words": each_word(_rhyme, 0.1),
    "alliteration": each_word(_alliteration, 0.15),
    "intensifiers": _intensified,
    "spoonerisms": _spoonerism,
    "camel case": _camel,
    "clause order": _clauses,
    "no long words": _no_long_words,
    "no auxiliaries": drop(("is", "are", "was", "were", "has", "have", "had", "be", "been")),
    "no prepositions": drop(("of", "in", "to", "for", "with", "on", "at", "by", "from", "as")),
    "no conjunctions": drop(("and", "but", "or", "that", "which", "who", "because", "if", "than")),
    "proverbs": lambda text, rng: f"{text} {one_of(_PROVERBS)(rng)}.",
    "hedges": somewhere(one_of(_HEDGES)),
    "legal words": somewhere(one_of(_LEGAL)),
    "noises": somewhere(one_of(_NOISES)),
    "oaths": somewhere(one_of(_OATHS)),
    "colour words": somewhere(one_of(_COLOURS)),
    "places": somewhere(lambda rng: f"in {one_of(_PLACES)(rng)}"),
    "times": somewhere(_when),
    "salutations": lambda text, rng: f"{_salutation(rng)}, {text}",
}
