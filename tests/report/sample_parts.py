"""The parts that a report which no run made is put together from."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
from PIL import Image

from clearhead.report.schema import (
    BandCard,
    ClassFeature,
    Effect,
    Estimate,
    ExampleCard,
    FeatureCard,
    FindingCard,
    HighlightCard,
    PictureCard,
    PointRow,
    TrustCard,
    WordRow,
)

WORDS = {
    0: [
        "dull",
        "flat",
        "tedious",
        "lifeless",
        "clumsy",
        "stale",
        "muddled",
        "overlong",
        "joyless",
        "contrived",
    ],
    1: [
        "moving",
        "funny",
        "sharp",
        "tender",
        "vivid",
        "wry",
        "graceful",
        "gripping",
        "warm",
        "luminous",
    ],
}
FRAMES = (
    "a {} and {} film that never quite knows what it wants to be",
    "the story is {}, the acting {}, and the ending stays with you on the way home",
    "{} from the first scene to the last",
    "what might have been {} turns out {} under a director who trusts his camera",
    "it is {}; there is no better word for it",
)


def estimate(value: float, n: int) -> Estimate:
    """A Wilson 95% interval around `value`."""
    value = min(max(value, 0.0), 1.0)
    z = 1.959964
    centre = (value + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(value * (1 - value) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Estimate(value=value, low=max(0.0, centre - half), high=min(1.0, centre + half), n=n)


def jpeg(rng: np.random.Generator, bright: bool, size: int = 160) -> str:
    """A grey photo of a solar cell, with a dark crack where it is defective."""
    y, x = np.mgrid[0:size, 0:size] / size
    cell = 150 + 40 * np.cos(6 * x + rng.normal()) * np.cos(5 * y + rng.normal())
    cell += rng.normal(0, 8, (size, size))
    cell[:: size // 4] *= 0.6
    if not bright:
        slope, offset = rng.normal(0, 1), rng.uniform(0.2, 0.8)
        cell[np.abs(y - offset - slope * (x - 0.5)) < 0.03] *= 0.25
    buffer = io.BytesIO()
    Image.fromarray(np.clip(cell, 0, 255).astype(np.uint8)).convert("RGB").save(
        buffer, format="JPEG", quality=70
    )
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def examples(rng: np.random.Generator, n: int, K: int, image: bool) -> list[ExampleCard]:
    rows = []
    pool = [jpeg(rng, bool(i % 2)) for i in range(24)] if image else []
    for i in range(n):
        label = int(rng.integers(K))
        wrong = rng.random() < 0.2
        text = FRAMES[int(rng.integers(len(FRAMES)))].format(
            *(WORDS[label % 2][w] for w in rng.permutation(10)[:2])
        )
        rows.append(
            ExampleCard(
                key=f"e{i}",
                id=f"test/{i:05d}",
                split="test" if i % 3 else "validation",
                label=label,
                predicted=(label + 1) % K if wrong else label,
                text=None if image else text,
                image=pool[i % 24] if image else None,
            )
        )
    return rows


def points(K: int, p: int, used: float, n: dict[str, int]) -> list[PointRow]:
    rows = []
    for i in range(60):
        t = i / 59
        per_class = 0.0 if i == 0 else used * 10 ** (2.3 * (t - 0.5))
        per_class = min(per_class, 0.8 * p)
        ceiling = 1 / K + (0.78 - 1 / K) * (1 - math.exp(-3.2 * t))
        rows.append(
            PointRow(
                lam=0.2 * 10 ** (-3 * t),
                features_per_class=per_class,
                n_nonzero=round(per_class * K),
                n_features=min(p, round(per_class * (1 if K == 2 else min(K, 3)))),
                gap=1e-5 + 7e-5 * t,
                kkt=3e-5,
                status="optimal",
                accuracy={
                    "train": estimate(ceiling + 0.10 * t**2, n["train"]),
                    "validation": estimate(ceiling + 0.004 * math.sin(i), n["validation"]),
                    "test": estimate(ceiling - 0.012 * t + 0.004 * math.cos(i), n["test"]),
                },
            )
        )
    return rows


def weights(rng: np.random.Generator, K: int, p: int, used: int) -> np.ndarray:
    W = np.zeros((K, p))
    chosen = rng.choice(p, min(p, used * (1 if K == 2 else 4 if K < 100 else 20)), replace=False)
    for k in range(K):
        mine = rng.choice(chosen, used, replace=False) if K > 2 else chosen
        W[k, mine] = rng.normal(0, 0.5, len(mine)) * np.linspace(1.6, 0.1, len(mine))
    if K == 2:
        W[0] = -W[1]
    return W


def class_features(w: np.ndarray, top: int | None = None) -> list[ClassFeature]:
    order = np.argsort(-np.abs(w))
    order = order[w[order] != 0][:top]
    positive = np.abs(w).sum() or 1.0
    return [
        ClassFeature(feature=int(j), weight=float(w[j]), share=float(abs(w[j]) / positive))
        for j in order
    ]


def findings(names: list[str], W: np.ndarray, keys: list[str], cut: str) -> list[FindingCard]:
    order = np.argsort(-np.abs(W).sum(0))
    a, b, c = (int(j) for j in order[:3])
    return [
        FindingCard(
            kind="leaning",
            title=f"Class “{names[1]}” leans on one feature",
            where=f"class {names[1]}, feature {a}",
            evidence=f"On validation, 61% of the class's positive evidence comes from feature {a}.",
            effect=Effect(
                what="recall lost on test when the feature is set to zero",
                value=0.317,
                low=0.27,
                high=0.365,
                n=398,
            ),
            confirmed=True,
            p_value=3e-7,
            mend=f"Look at what feature {a} responds to; if it is not the class, "
            "add examples of the class without it.",
            features=[a],
            classes=[1],
            examples=keys[:6],
        ),
        FindingCard(
            kind="blame",
            title=f"12.4% of the errors vanish when feature {b} is off",
            where=f"feature {b}",
            evidence="On validation, setting it to zero mends 31 errors and breaks 9 predictions.",
            effect=Effect(
                what="share of test errors mended", value=0.124, low=0.09, high=0.166, n=371
            ),
            confirmed=True,
            p_value=0.004,
            mend=f"Compare the examples that feature {b} mends with those it breaks; "
            "take it out with `clearhead edit` when it is spurious.",
            features=[b],
            classes=[0, 1],
            examples=keys[6:14],
        ),
        FindingCard(
            kind="slice",
            title=f"Accuracy is much lower where {cut}",
            where=cut,
            evidence="On validation, accuracy is 9.8 points below the rest (n = 214).",
            effect=Effect(
                what="accuracy below the rest, on test",
                value=0.071,
                low=0.012,
                high=0.13,
                n=231,
                unit="points",
            ),
            confirmed=True,
            p_value=0.031,
            mend="Gather more examples of this kind, or report it beside the overall accuracy.",
            classes=[0],
            examples=keys[14:18],
        ),
        FindingCard(
            kind="hub",
            title=f"Feature {c} decides both classes",
            where=f"feature {c}",
            evidence="On validation it is the strongest evidence in 38% of the predictions.",
            effect=Effect(
                what="test predictions that change without it",
                value=0.052,
                low=-0.004,
                high=0.108,
                n=1600,
            ),
            confirmed=False,
            p_value=0.18,
            mend="Nothing yet: the test split does not agree.",
            features=[c],
        ),
    ]


def explained(feature: FeatureCard, examples: list[ExampleCard], image: bool) -> FeatureCard:
    """The same feature with all that explains it."""
    even = feature.index % 2 == 0
    shown = {e.key: e for e in examples}
    ends = [key for key, _ in (*feature.highest[:2], *feature.lowest[:2])]
    rng = np.random.default_rng(feature.index)
    words = [
        WordRow(word=word, weight=w, low=w - 0.1, high=w + 0.1, count=9 + i)
        for k in (0, 1)
        for i, word in enumerate(WORDS[1 - k])
        for w in [(1 - 2 * k) * (0.9 - 0.07 * i)]
    ]
    first = len((shown[ends[0]].text or "").split(" ")[0])
    return feature.model_copy(
        update={
            "name": "cells with a dark corner" if image else "moving, funny / − dull",
            "name_source": "words" if even else "person",
            "name_score": 0.81 if even else None,
            "words": [] if image else words,
            "pictures": [
                PictureCard(
                    direction=direction,
                    method="fourier",
                    image=jpeg(rng, direction == "max"),
                    activation=7.4 if direction == "max" else -1.1,
                    percentile=99.9 if direction == "max" else 31.0,
                    failed=direction == "min",
                )
                for direction in ("max", "min")
            ]
            if image
            else [],
            "highlights": [
                HighlightCard(
                    key=key,
                    r2=0.83,
                    spans=[] if image else [(0, first, 0.7), (first + 1, first + 3, -0.4)],
                    image=jpeg(rng, False) if image else None,
                )
                for key in dict.fromkeys(ends)
            ],
            "trust": [
                TrustCard(
                    explanation="regions" if image else "words",
                    direction="high",
                    accuracy=estimate(0.78 if even else 0.55, 320),
                    clear=even,
                )
            ],
            "bands": [BandCard(low=0.4, high=0.6, examples=feature.highest[:2])],
        }
    )
