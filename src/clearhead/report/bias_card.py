"""What terms for people do to predictions, as the app shows it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from clearhead.debug.texts import BiasProbe

__all__ = ["BiasCard", "TermRow", "bias_card"]

MOST_ROWS = 2_000
"""Rows that travel, the surest first."""


class TermRow(BaseModel):
    """What one term does to one class in neutral sentences, beyond neutral terms."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    term: str
    group: str
    target: int = Field(description="class index")
    shift: float = Field(description="change of the class's log-odds")
    low: float
    high: float
    p_value: float = Field(description="corrected for all terms and classes")
    flips: float = Field(description="share of the sentences whose prediction is another")
    moves: list[tuple[int, float]] = Field(
        description="(feature, its part of the shift), the largest first"
    )


class BiasCard(BaseModel):
    """Every term that was tried."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rows: list[TermRow] = Field(description="the largest sure one first")
    n_terms: int
    templates: list[str]
    controls: list[str] = Field(description="the neutral terms")
    control_flips: float = Field(description="share of sentences that neutral terms change")


def bias_card(probe: BiasProbe) -> BiasCard:
    """Show a probe."""
    return BiasCard(
        rows=[
            TermRow.model_validate(one, from_attributes=True) for one in probe.shifts[:MOST_ROWS]
        ],
        n_terms=len({one.term for one in probe.shifts}),
        templates=list(probe.templates),
        controls=list(probe.controls),
        control_flips=probe.control_flips,
    )
