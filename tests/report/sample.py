"""Plausible, hostile and large reports, made without a run."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
from PIL import Image

from clearhead.report.schema import (
    AblationRow,
    ActivationBand,
    AgreementRow,
    AnalysisRow,
    BandCard,
    ClassFeature,
    ClassRow,
    Confusion,
    DataCard,
    Effect,
    Estimate,
    ExampleCard,
    FeatureCard,
    FindingCard,
    HighlightCard,
    LayerCard,
    ModelCard,
    PathCard,
    PictureCard,
    PointRow,
    ProblemRow,
    ReportData,
    SliceRow,
    SplitRow,
    TrustCard,
    WordRow,
)

HOSTILE = [
    "</script><script>window.pwned=1;document.title='pwned'</script>",
    "<img src=x onerror=\"window.pwned=1;document.title='pwned'\">",
    "\"'`><svg/onload=document.title='pwned'>&lt;b&gt; &amp; {{script}} ${1}",
    "<!--<script>\u2028\u2029]]>\x00\x07\x1b[31m",
    "\u202eright to left override \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "\U0001f9e0\U0001f468\u200d\U0001f469\u200d\U0001f467 emoji \u0301\u0301\u0301 \ufffe",
    "lone \ud800 surrogate \udfff",
    "w" * 100_000,
    "",
    "</noscript><h1>broken out</h1>",
    "__proto__",
]

_WORDS = {
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
_FRAMES = (
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


def _jpeg(rng: np.random.Generator, bright: bool, size: int = 160) -> str:
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


def _examples(rng: np.random.Generator, n: int, K: int, image: bool) -> list[ExampleCard]:
    rows = []
    pool = [_jpeg(rng, bool(i % 2)) for i in range(24)] if image else []
    for i in range(n):
        label = int(rng.integers(K))
        wrong = rng.random() < 0.2
        text = _FRAMES[int(rng.integers(len(_FRAMES)))].format(
            *(_WORDS[label % 2][w] for w in rng.permutation(10)[:2])
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


def _points(K: int, p: int, used: float, n: dict[str, int]) -> list[PointRow]:
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


def _weights(rng: np.random.Generator, K: int, p: int, used: int) -> np.ndarray:
    W = np.zeros((K, p))
    chosen = rng.choice(p, min(p, used * (1 if K == 2 else 4 if K < 100 else 20)), replace=False)
    for k in range(K):
        mine = rng.choice(chosen, used, replace=False) if K > 2 else chosen
        W[k, mine] = rng.normal(0, 0.5, len(mine)) * np.linspace(1.6, 0.1, len(mine))
    if K == 2:
        W[0] = -W[1]
    return W


def _class_features(w: np.ndarray, top: int | None = None) -> list[ClassFeature]:
    order = np.argsort(-np.abs(w))
    order = order[w[order] != 0][:top]
    positive = np.abs(w).sum() or 1.0
    return [
        ClassFeature(feature=int(j), weight=float(w[j]), share=float(abs(w[j]) / positive))
        for j in order
    ]


def _findings(names: list[str], W: np.ndarray, keys: list[str], cut: str) -> list[FindingCard]:
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


def _explained(feature: FeatureCard, examples: list[ExampleCard], image: bool) -> FeatureCard:
    """The same feature with all that explains it."""
    even = feature.index % 2 == 0
    shown = {e.key: e for e in examples}
    ends = [key for key, _ in (*feature.highest[:2], *feature.lowest[:2])]
    rng = np.random.default_rng(feature.index)
    words = [
        WordRow(word=word, weight=(1 - 2 * k) * (0.9 - 0.07 * i), std_error=0.05, count=9 + i)
        for k in (0, 1)
        for i, word in enumerate(_WORDS[1 - k])
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
                    image=_jpeg(rng, direction == "max"),
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
                    image=_jpeg(rng, False) if image else None,
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


def sample_report(
    *,
    modality: str = "text",
    K: int = 2,
    p: int = 384,
    used: int = 9,
    n_examples: int = 120,
    shown: int = 16,
    seed: int = 0,
    with_findings: bool = True,
) -> ReportData:
    """A report as a run of that size would give it."""
    rng = np.random.default_rng(seed)
    image = modality == "image"
    if K == 2:
        names = ["functional", "defective"] if image else ["negative", "positive"]
    else:
        names = [f"class {k:03d}" if k else "t-shirt" for k in range(K)]
    sizes = {"train": 7464 if K == 2 else 500 * K, "validation": 1599, "test": 1599}
    examples = _examples(rng, n_examples, K, image)
    keys = [example.key for example in examples]
    W = _weights(rng, K, p, used)
    dense = rng.normal(0, 0.12, (K, p))
    if K == 2:
        dense[0] = -dense[1]
    points = _points(K, p, used, sizes)
    selected = min(range(len(points)), key=lambda i: abs(points[i].features_per_class - used))
    points[selected] = points[selected].model_copy(update={"features_per_class": float(used)})
    per_class = max(1, sizes["test"] // K)

    def layer(
        name: str, accuracy: float, features: float, total: int, lam: float | None
    ) -> LayerCard:
        return LayerCard(
            name=name,
            description={
                "sparse": "elastic net, the point chosen on validation",
                "dense": "ridge layer, strength chosen on validation",
                "network": "the network's own decision layer",
            }[name],
            lam=lam,
            features_per_class=features,
            n_features=total,
            gap=None if lam is None else 3.2e-5,
            status=None if lam is None else "optimal",
            accuracy={
                "train": estimate(accuracy + 0.03, sizes["train"]),
                "validation": estimate(accuracy + 0.005, sizes["validation"]),
                "test": estimate(accuracy, sizes["test"]),
            },
        )

    union = [int(j) for j in np.flatnonzero(np.abs(W).sum(0))]
    features = []
    for j in union:
        edges = np.linspace(-3.2, 4.4, 25)
        counts = np.histogram(rng.gamma(4, 0.5, 1600) - 2 + rng.normal(0, 0.3, 1600), edges)[0]
        high = np.sort(rng.gamma(4, 0.5, shown) + 1)[::-1]
        low = np.sort(-rng.gamma(4, 0.3, shown) - 1)
        users = sorted(
            ((k, float(W[k, j])) for k in np.flatnonzero(W[:, j])), key=lambda u: -abs(u[1])
        )
        features.append(
            FeatureCard(
                index=j,
                classes=[(int(k), w) for k, w in users],
                highest=[(keys[rng.integers(len(keys))], float(a)) for a in high],
                lowest=[(keys[rng.integers(len(keys))], float(a)) for a in low],
                histogram=[
                    ActivationBand(low=float(edges[i]), high=float(edges[i + 1]), count=int(c))
                    for i, c in enumerate(counts)
                ],
            )
        )
    features = [_explained(feature, examples, image) for feature in features]
    column = "cell type" if image else "length"
    values = ["monocrystalline", "polycrystalline"] if image else ["short", "medium", "long"]
    return ReportData(
        made_by="clearhead 0.1.0",
        name=f"demo-{'vision' if image else 'text'}",
        model=ModelCard(
            name="efficientnet-lite0" if image else "minilm",
            modality=modality,
            n_features=p,
            n_dead=3,
            has_head=image,
            same_classes=False,
            layer="classifier.fc" if image else None,
            fingerprint="9f1c2ab04d7e5a63",
        ),
        data=DataCard(
            name="elpv" if image else "rotten-tomatoes",
            class_names=names,
            splits=[
                SplitRow(split=split, n=n, per_class=[n // K] * K) for split, n in sizes.items()
            ],
            metadata=[column],
            notes=["Split 70/15/15 at random within each class (seed 0): the data have no splits."],
            problems=[
                ProblemRow(
                    kind="truncated text",
                    count=4,
                    message="longer than the 256 tokens the network takes; its end was left out",
                    examples=["train/00041", "train/02211"],
                )
            ],
            fingerprint="77aa01bc93d2e0ff",
        ),
        path=PathCard(
            family="binomial" if K == 2 else "multinomial",
            l1_ratio=0.99,
            tol=1e-4,
            points=points,
            selected=selected,
            rule="the sparsest point within 2 points of the best validation accuracy",
        ),
        layers=[
            layer("sparse", points[selected].accuracy["test"].value, used, len(union), 0.012),
            layer("dense", 0.779, p - 3, p - 3, 0.31),
        ]
        + ([layer("network", 0.761, p, p, None)] if K > 2 else []),
        agreement=[
            AgreementRow(layer="sparse", split="test", agreement=estimate(0.912, 1599)),
            AgreementRow(layer="dense", split="test", agreement=estimate(0.953, 1599)),
        ]
        if K > 2
        else [],
        agreement_note=""
        if K > 2
        else "minilm is an encoder: it has no decision layer to agree with.",
        ablation=[
            AblationRow(
                layer=name,
                k=5,
                all=estimate(every, 1599),
                top=estimate(top, 1599),
                rest=estimate(rest, 1599),
            )
            for name, every, top, rest in (
                ("sparse", 0.741, 0.722, 0.578),
                ("dense", 0.779, 0.613, 0.764),
            )
        ],
        classes=[
            ClassRow(
                index=k,
                name=names[k],
                n_features=int((W[k] != 0).sum()),
                recall=estimate(rng.uniform(0.6, 0.85), per_class),
                precision=estimate(rng.uniform(0.6, 0.85), per_class + 7),
                dense_recall=estimate(rng.uniform(0.7, 0.9), per_class),
                features=_class_features(W[k]),
                dense_features=_class_features(dense[k], 10),
            )
            for k in range(K)
        ],
        features=features,
        slices=[
            SliceRow(
                column=column,
                value=value,
                accuracy=estimate(0.78 - 0.06 * i, 533),
                recall=[estimate(rng.uniform(0.5, 0.9), 250) for _ in range(K)] if K <= 4 else [],
            )
            for i, value in enumerate(values)
        ],
        confusions=[
            Confusion(true=i % K, predicted=(i + 1) % K, count=per_class // (i + 4))
            for i in range(min(12, K * (K - 1)))
        ],
        findings=_findings(names, W, keys, f"{column} is {values[-1]}") if with_findings else [],
        examples=examples,
        checks=[
            "a class that leans on one feature",
            "a feature that decides many classes",
            "errors that vanish when one feature is set to zero",
            "metadata slices with much lower accuracy or recall",
        ],
        limits=["LIME and feature visualization were not run: they come with a later version."],
    )


def hostile_report() -> ReportData:
    """A report whose every text tries to break the page."""
    data = sample_report(K=4, used=5)
    texts = HOSTILE
    examples = [
        e.model_copy(update={"text": texts[i % len(texts)], "id": texts[(i + 3) % 7]})
        for i, e in enumerate(data.examples)
    ]
    names = texts[:4]
    classes = [c.model_copy(update={"name": names[c.index]}) for c in data.classes]
    findings = [
        f.model_copy(
            update={
                "title": texts[i],
                "where": texts[i],
                "evidence": texts[i + 1],
                "mend": texts[i + 2],
                "effect": f.effect.model_copy(update={"what": texts[i]}),
            }
        )
        for i, f in enumerate(data.findings)
    ]
    slices = [
        s.model_copy(update={"column": texts[0], "value": texts[i]})
        for i, s in enumerate(data.slices)
    ]
    features = [
        f.model_copy(
            update={
                "name": texts[i % 4],
                "name_source": texts[0],
                "words": [
                    w.model_copy(update={"word": t}) for w, t in zip(f.words, texts, strict=False)
                ],
                "highlights": [
                    h.model_copy(update={"spans": [(0, 3, 1.0), (2, 9, -1.0), (7, 10**6, 1.0)]})
                    for h in f.highlights
                ],
            }
        )
        for i, f in enumerate(data.features)
    ]
    card = data.data.model_copy(
        update={"name": texts[0], "class_names": names, "notes": texts, "metadata": texts}
    )
    return data.model_copy(
        update={
            "name": texts[0],
            "made_by": texts[1],
            "data": card,
            "model": data.model.model_copy(update={"name": texts[2], "layer": texts[3]}),
            "examples": examples,
            "classes": classes,
            "features": features,
            "findings": findings,
            "slices": slices,
            "limits": texts,
            "explained": texts,
            "analysis": [AnalysisRow(kind="shared", words=text, features=[0]) for text in texts],
            "agreement_note": texts[0],
        }
    )


def large_report() -> ReportData:
    """1,000 classes, about 500 features, 8,000 examples."""
    return sample_report(K=1000, p=2048, used=25, n_examples=8000)
