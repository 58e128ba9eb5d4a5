"""What decides in a text: words, signs and ways of writing, put in and cut out."""

from clearhead.debug.texts.bias import TEMPLATES, BiasProbe, TermShift, probe_bias
from clearhead.debug.texts.bias_search import find_bias
from clearhead.debug.texts.exchange import FlipRate, WordCounterfactuals, word_counterfactuals
from clearhead.debug.texts.flip import FlippedText, TextEdit, flip_text
from clearhead.debug.texts.mention import Mention
from clearhead.debug.texts.phrase import Phrase
from clearhead.debug.texts.search import find_text_shortcuts
from clearhead.debug.texts.style import Style
from clearhead.debug.texts.terms import TermList, read_terms
from clearhead.debug.texts.token_kind import TokenKind

__all__ = [
    "TEMPLATES",
    "BiasProbe",
    "FlipRate",
    "FlippedText",
    "Mention",
    "Phrase",
    "Style",
    "TermList",
    "TermShift",
    "TextEdit",
    "TokenKind",
    "WordCounterfactuals",
    "find_bias",
    "find_text_shortcuts",
    "flip_text",
    "probe_bias",
    "read_terms",
    "word_counterfactuals",
]
