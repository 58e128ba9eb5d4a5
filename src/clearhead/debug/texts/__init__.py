"""What decides in a text: words, signs and ways of writing, put in and cut out."""

from clearhead.debug.texts.phrase import Phrase
from clearhead.debug.texts.search import find_text_shortcuts
from clearhead.debug.texts.styles import Style
from clearhead.debug.texts.token_kind import TokenKind

__all__ = ["Phrase", "Style", "TokenKind", "find_text_shortcuts"]
