"""Regions that LIME finds for suspicious features: cut out, pasted and tested.

A region that drives a feature is mostly what its class is: the collar of a shirt. What tells a
shortcut is that it comes back *nearly the same*: a logo, a sticker, a stamp. A region is followed
up where some of the class's other pictures hold it far more exactly than the pictures of other
classes hold anything like it, and more of them than hold the regions that do not drive the feature.
What these carriers have in common is cut out, put into pictures of other classes where it was
found, and compared with other cuts of the same outline at the same places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.debug.change import Change, change_inputs, mean_interval
from clearhead.debug.driving import Driven, LimeEffort, driven_parts, find_suspects
from clearhead.debug.images.pieces import CONTRAST, Common, Piece, cut_pieces, in_common
from clearhead.debug.images.region import Region
from clearhead.debug.images.template import (
    Matches,
    cut_window,
    find_pieces,
    resolution,
    small,
)
from clearhead.debug.inputs import Inputs
from clearhead.debug.shortcut import Proposal, Shortcut, Tested, confirm, propose_insertion

__all__ = ["find_regions"]

SEARCHED = 120
"""Pictures of the class, and of the others, in which regions are looked for: on one half they are
chosen and cut out, on the other it is measured how many hold them."""
USUAL = 0.1
"""So many of the others' pictures are as near by chance."""
SAME = 0.25
"""Share of that distance within which a region is nearly the same."""
PLAIN = 0.05
"""Shades of 0 … 1: what is nearer than this in the others is an empty part."""
LEAST = 4
"""Pictures of the class that must hold it, to cut it out."""
LEAD = 0.1
"""Share of the class's pictures, beyond that of the others, that must hold it."""
IDLE = 2.0
"""Times as many as hold any region that does not drive the feature."""
SOFT = 0.6
"""Standard deviation, in pixels, by which edges are blurred."""
RECEIVERS = 80
WAY, FLIPS, STEADY = 0.05, 0.02, 4.0
"""Of the spread of the class's log-odds, of predictions, in standard errors: what putting it in
must do beyond the controls on validation."""
PASTED, CONTROLS = 6, 6
REPORTED = 2


@dataclass(frozen=True, eq=False)
class _Found:
    """A region of a class, whether it recurs, and what it does."""

    target: int
    region: Region
    inside: float
    outside: float
    recurs: bool
    change: Change
    control: Change
    drop: float
    controls: tuple[Region, ...]

    @property
    def beyond(self) -> FloatArray:
        """Change of the class's log-odds beyond the control, by example."""
        c = self.target
        return self.change.log_odds_shift(c) - self.control.log_odds_shift(c)

    @property
    def flips(self) -> tuple[float, float]:
        """Share of predictions that become the class, with it and with the control."""
        c = self.target
        missed = self.change.scores_before.argmax(axis=1) != c
        if not missed.any():
            return 0.0, 0.0
        return (
            float(self.change.becomes(c)[missed].mean()),
            float(self.control.becomes(c)[missed].mean()),
        )


def find_regions(
    inputs: Inputs, effort: LimeEffort, most: int
) -> tuple[list[Shortcut], list[Tested]]:
    """Propose at most so many regions that decide for a class, and measure them on test.

    Returns
    -------
    shortcuts : list of Shortcut
    tested : list of Tested
        These, and regions that were put in but are content, or do nothing.
    """
    suspects = find_suspects(inputs, effort)
    driven = driven_parts(inputs, suspects, effort)
    found: list[_Found] = []
    for c in dict.fromkeys(one.target for one in suspects):
        found += _of_class(inputs, c, [one for one in driven if one.suspect.target == c])
    good = [one for one in found if one.recurs and _decides(inputs, one)]
    good.sort(key=lambda one: -one.beyond.mean() * (one.inside - one.outside))
    best = list({one.target: one for one in reversed(good)}.values())[::-1][:most]
    shortcuts = [confirm(inputs, _proposal(inputs, one), kind="shortcut") for one in best]
    rest = [_tested(one) for one in found if not any(one is other for other in best)]
    return shortcuts, [*(one.tested for one in shortcuts), *rest]


def _of_class(inputs: Inputs, c: int, driven: Sequence[Driven]) -> list[_Found]:
    """Regions of one class: those that recur, or else the one that drives a feature most."""
    if not driven:
        return []
    side = resolution([inputs.example(one.row) for one in driven])
    pieces = cut_pieces(inputs, driven, side)
    if not any(one.drives for one in pieces):
        return []
    search = _Search(inputs, c, side, {one.row for one in pieces})
    if min(len(search.own), len(search.others)) < 2 * LEAST:
        return []
    found = search.recurring(pieces)
    return [search.tried(*one) for one in found[:REPORTED]]


class _Search:
    """Pictures of a class and of the others, in which its regions are looked for."""

    def __init__(self, inputs: Inputs, c: int, side: int, sources: set[int]) -> None:
        self.inputs, self.c, self.side = inputs, c, side
        splits = ("train", "validation")
        rows = inputs.rows(*splits, label=c, most=SEARCHED, salt=41)
        own = [int(row) for row in rows if int(row) not in sources]
        rest = inputs.rows(*splits, other_than=c, most=SEARCHED, salt=42)
        self.rows = own[1::2]
        self.own, self.held = self._load(own[::2]), self._load(self.rows)
        self.others, self.held_others = self._load(rest[::2]), self._load(rest[1::2])

    def _load(self, rows: Sequence[int] | IntArray) -> list[FloatArray]:
        return [small(self.inputs.example(row), self.side) for row in rows]

    def recurring(self, pieces: Sequence[Piece]) -> list[tuple[Piece, Common | None]]:
        """Pieces that many of the class's pictures hold nearly the same, most of them first.

        Without any, the strongest that is held most often, and nothing in common.
        """
        windows = np.stack([one.window for one in pieces])
        masks = np.stack([one.mask for one in pieces])
        own, others = (find_pieces(some, windows, masks) for some in (self.own, self.others))
        usual = np.quantile(others.distance, USUAL, axis=0)
        near = own.distance < SAME * usual
        lead = near.mean(axis=0) - (others.distance < SAME * usual).mean(axis=0)
        drives = np.array([one.drives for one in pieces])
        idle = float(lead[~drives].max(initial=0.0))
        order = [int(j) for j in np.argsort(-lead, kind="stable") if drives[j]]
        found: list[tuple[Piece, Common | None]] = []
        for j in order:
            enough = near[:, j].sum() >= LEAST and lead[j] >= max(LEAD, IDLE * idle)
            if enough:
                common = self._common(pieces[j], own, near[:, j], j)
                found += [] if common is None else [(pieces[j], common)]
        return found or [(pieces[order[0]], None)]

    def _common(self, piece: Piece, own: Matches, near: BoolArray, j: int) -> Common | None:
        carriers = np.flatnonzero(near)
        carriers = carriers[np.argsort(own.distance[carriers, j], kind="stable")]
        pictures = [self.own[i] for i in carriers]
        return in_common(piece.mask, pictures, own.place[carriers, j], self.others)

    def tried(self, piece: Piece, common: Common | None) -> _Found:
        """Put it into validation pictures of other classes, and take it out of the class's own."""
        known = common or _alone(self.inputs, piece, self.side)
        inside, outside, usual = self._measured(known)
        region = self._region(known, SAME * usual)
        rows = self.inputs.rows("validation", other_than=self.c, most=RECEIVERS, salt=43)
        controls = tuple(self._controls(region))
        inserts = [one.insert for one in controls]
        change, control = propose_insertion(self.inputs, region, inserts, rows)
        plain = usual < PLAIN or known.contrast < CONTRAST
        recurs = common is not None and not plain and inside - outside >= LEAD
        carriers = np.array(self.rows, dtype=np.int64)
        removed = change_inputs(self.inputs, region.remove, carriers)
        drop = -float(removed.log_odds_shift(self.c).mean()) if len(removed) else 0.0
        return _Found(self.c, region, inside, outside, recurs, change, control, drop, controls)

    def _measured(self, known: Common) -> tuple[float, float, float]:
        """Share of pictures not seen yet that hold it, of the class and of others.

        And how near the others are to it as a rule.
        """
        template, mask = known.template[None], known.mask[None]
        own, others = (
            find_pieces(some, template, mask).distance[:, 0]
            for some in (self.held, self.held_others)
        )
        usual = float(np.quantile(others, USUAL))
        return float((own < SAME * usual).mean()), float((others < SAME * usual).mean()), usual

    def _region(self, known: Common, radius: float) -> Region:
        soft = gaussian_filter(known.mask, SOFT)
        patches = 255 * known.windows[:PASTED]
        return Region(
            patches=patches.astype(np.float32),
            masks=np.stack([soft] * len(patches)).astype(np.float32),
            share=known.mask.shape[0] / self.side,
            source="region",
            places=known.places,
            template=(255 * known.template).astype(np.float32),
            radius=radius,
            side=self.side,
        )

    def _controls(self, region: Region) -> list[Region]:
        """Cuts of the same outline at the same places from others, and from the class itself.

        Of each those whose contrast is nearest to the region's.
        """
        made = []
        for pictures in (self.others, self.own):
            side = region.masks.shape[1]
            windows = np.stack(
                [
                    cut_window(one, *self._place(one, region, i), side)
                    for i, one in enumerate(pictures)
                ]
            )
            inner = region.masks[0] > 0.1
            contrast = windows[:, inner].std(axis=1).mean(axis=1)
            wanted = float((region.template / 255)[inner].std(axis=0).mean())
            unlike = np.abs(windows - region.template / 255)[:, inner].mean(axis=(1, 2)) > PLAIN
            order = np.argsort(np.abs(contrast - wanted) + 9.0 * ~unlike, kind="stable")[:CONTROLS]
            patches = (255 * windows[order]).astype(np.float32)
            masks = np.stack([region.masks[0]] * len(patches))
            made.append(replace(region, patches=patches, masks=masks, radius=0.0))
        return made

    def _place(self, pixels: FloatArray, region: Region, i: int) -> tuple[int, int]:
        y, x = region.places[i % len(region.places)]
        height, width = pixels.shape[:2]
        side = region.masks.shape[1]
        return round(float(y) * max(height - side, 0)), round(float(x) * max(width - side, 0))


def _alone(inputs: Inputs, piece: Piece, side: int) -> Common:
    """A piece as its one picture shows it."""
    room = np.maximum(
        np.array(small(inputs.example(piece.row), side).shape[:2]) - len(piece.mask), 1
    )
    place = np.clip(np.array(piece.corner) / room, 0, 1)
    return Common(piece.window, piece.mask, piece.window[None], place[None])


def _decides(inputs: Inputs, one: _Found) -> bool:
    """Whether putting it in moves validation pictures of other classes to the class."""
    if len(one.change) < 2:
        return False
    mean, low, high = mean_interval(one.beyond / _unit(one))
    flips, other = one.flips
    steady = mean >= STEADY * (high - low) / (2 * 1.96)
    return steady and mean >= WAY and flips - other >= FLIPS


def _unit(one: _Found) -> float:
    """Spread of the class's log-odds over the examples themselves."""
    c = one.target
    scores = one.change.scores_before
    others = np.delete(scores, c, axis=1)
    return max(float((scores[:, c] - others.max(axis=1)).std()), 1e-9)


def _proposal(inputs: Inputs, one: _Found) -> Proposal:
    name = inputs.class_names[one.target]
    flips, other = one.flips
    return Proposal(
        pattern=one.region,
        controls=[control.insert for control in one.controls],
        target=one.target,
        inside=one.inside,
        outside=one.outside,
        score=float(one.beyond.mean()),
        change=one.change,
        evidence=(
            f"It is a region that drives a feature of {name}, cut out and put into "
            f"{len(one.change)} validation pictures of other classes where it was found: "
            f"{100 * flips:.0f}% become {name}, {100 * other:.0f}% with other cuts of its outline."
        ),
    )


def _tested(one: _Found) -> Tested:
    mean, low, high = mean_interval(one.beyond)
    flips, other = one.flips
    words = one.region.describe() if one.recurs else f"a {one.region.colour} part of its objects"
    return Tested(
        pattern=words,
        target=one.target,
        inside=one.inside,
        outside=one.outside,
        split="validation",
        n=len(one.change),
        shift=mean,
        shift_low=low,
        shift_high=high,
        flips=flips,
        control_flips=other,
        used=False,
    )
