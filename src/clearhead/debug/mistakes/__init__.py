"""Which features the mistakes are due to, and what would flip a prediction."""

from clearhead.debug.mistakes.counterfactual import Counterfactual, counterfactual
from clearhead.debug.mistakes.errors import (
    ErrorGroup,
    Errors,
    Mistake,
    explain_errors,
    find_blame,
    margin_parts,
    share_mended_by_one,
)

__all__ = [
    "Counterfactual",
    "ErrorGroup",
    "Errors",
    "Mistake",
    "counterfactual",
    "explain_errors",
    "find_blame",
    "margin_parts",
    "share_mended_by_one",
]
