"""Plausible and large reports, made without a run."""

from __future__ import annotations

import numpy as np

from clearhead.report.schema import (
    AblationRow,
    ActivationBand,
    AgreementRow,
    ClassRow,
    Confusion,
    DataCard,
    FeatureCard,
    LayerCard,
    ModelCard,
    PathCard,
    ProblemRow,
    ReportData,
    SliceRow,
    SplitRow,
)
from tests.report import sample_parts
from tests.report.sample_parts import estimate


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
    examples = sample_parts.examples(rng, n_examples, K, image)
    keys = [example.key for example in examples]
    W = sample_parts.weights(rng, K, p, used)
    dense = rng.normal(0, 0.12, (K, p))
    if K == 2:
        dense[0] = -dense[1]
    points = sample_parts.points(K, p, used, sizes)
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
    features = [sample_parts.explained(feature, examples, image) for feature in features]
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
                features=sample_parts.class_features(W[k]),
                dense_features=sample_parts.class_features(dense[k], 10),
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
        findings=sample_parts.findings(names, W, keys, f"{column} is {values[-1]}")
        if with_findings
        else [],
        examples=examples,
        checks=[
            "a class that leans on one feature",
            "a feature that decides many classes",
            "errors that vanish when one feature is set to zero",
            "metadata slices with much lower accuracy or recall",
        ],
        limits=["LIME and feature visualization were not run: they come with a later version."],
    )


def large_report() -> ReportData:
    """1,000 classes, about 500 features, 8,000 examples."""
    return sample_report(K=1000, p=2048, used=25, n_examples=8000)
