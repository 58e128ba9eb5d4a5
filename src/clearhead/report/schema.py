"""The run as data: one versioned schema that every screen is drawn from.

The schema is *additive*: within one version fields are only ever added, with a
default, so that a reader of an older file and an older reader of a newer file
both work. A change that is not additive raises :data:`SCHEMA_VERSION`.

Accuracies, shares and recalls are fractions in [0, 1]. Weights and activations
are on the standardised scale: a weight is the change of a class's score when
the feature grows by one standard deviation.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from clearhead._types import Targets
from clearhead.debug import FindingKind

__all__ = [
    "SCHEMA_VERSION",
    "AblationRow",
    "ActivationBand",
    "AgreementRow",
    "AnalysisRow",
    "BandCard",
    "ClassFeature",
    "ClassRow",
    "Confusion",
    "DataCard",
    "Effect",
    "Estimate",
    "ExampleCard",
    "FeatureCard",
    "FindingCard",
    "HighlightCard",
    "LayerCard",
    "ModelCard",
    "PathCard",
    "PictureCard",
    "PointRow",
    "ProblemRow",
    "ReportData",
    "SliceRow",
    "SplitRow",
    "TestedRow",
    "TrustCard",
    "WordRow",
]

SCHEMA_VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Estimate(_Part):
    """A share estimated from `n` examples, with its 95% interval."""

    value: float
    low: float
    high: float
    n: int


class ModelCard(_Part):
    """The network that was split."""

    name: str
    modality: Literal["text", "image"]
    n_features: int = Field(description="p, width of the deep features")
    n_dead: int = Field(description="features that are constant on the training split")
    has_head: bool = Field(description="the network has a decision layer of its own")
    same_classes: bool = Field(description="its own head is over the data's classes")
    layer: str | None = Field(description="dotted name of the decision layer that was found")
    fingerprint: str


class SplitRow(_Part):
    """How many examples of each class a split holds."""

    split: Literal["train", "validation", "test"]
    n: int
    per_class: list[int]


class ProblemRow(_Part):
    """Something in the data that was counted and passed over."""

    kind: str
    count: int
    message: str
    examples: list[str] = Field(description="ids of the first few")


class DataCard(_Part):
    """The labelled data."""

    name: str
    class_names: list[str]
    splits: list[SplitRow]
    metadata: list[str] = Field(description="names of the metadata columns")
    notes: list[str] = Field(description="how splits were made, and the like")
    problems: list[ProblemRow]
    fingerprint: str


class PointRow(_Part):
    """One point of the regularization path."""

    lam: float
    features_per_class: float
    n_nonzero: int
    n_features: int = Field(description="features used by at least one class")
    gap: float = Field(description="relative duality gap: how far from the optimum at most")
    kkt: float
    status: str
    accuracy: dict[str, Estimate] = Field(description="by split")


class PathCard(_Part):
    """The regularization path of the sparse layer."""

    family: str
    targets: Targets = Field(
        default="labels", description="what it was fitted to: labels, or the network's predictions"
    )
    l1_ratio: float
    tol: float
    points: list[PointRow]
    selected: int = Field(description="index into points")
    rule: str = Field(description="the rule that selected it, in words")


class LayerCard(_Part):
    """One decision layer: the sparse one, the dense ridge layer, or the network's own."""

    name: Literal["sparse", "dense", "network"]
    description: str
    lam: float | None
    features_per_class: float
    n_features: int
    gap: float | None
    status: str | None
    accuracy: dict[str, Estimate] = Field(description="by split")


class AgreementRow(_Part):
    """How often a layer predicts what the network itself predicts."""

    layer: Literal["sparse", "dense"]
    split: str
    agreement: Estimate
    kl: float | None = Field(
        default=None,
        description="mean KL divergence of its probabilities from the network's, in nats",
    )


class AblationRow(_Part):
    """Test accuracy with only the top k features of each class, and with all but those."""

    layer: Literal["sparse", "dense"]
    k: int
    all: Estimate
    top: Estimate
    rest: Estimate


class ClassFeature(_Part):
    """One feature of one class."""

    feature: int
    weight: float
    share: float = Field(description="share of the class's positive evidence, on validation")


class ClassRow(_Part):
    """One class, as the selected layer sees it."""

    index: int
    name: str
    n_features: int
    recall: Estimate | None = Field(description="on test; None without examples")
    precision: Estimate | None = Field(description="on test; None without predictions")
    dense_recall: Estimate | None
    features: list[ClassFeature] = Field(description="sparse layer, by |weight|, descending")
    dense_features: list[ClassFeature] = Field(description="the ten strongest of the dense layer")


class ActivationBand(_Part):
    """One bar of the histogram of a feature's standardised activation."""

    low: float
    high: float
    count: int


class BandCard(_Part):
    """Some examples from one band between the quantiles of a feature's activation."""

    low: float = Field(description="quantile where the band begins, in [0, 1]")
    high: float
    examples: list[tuple[str, float]] = Field(description="(example key, activation)")


class WordRow(_Part):
    """What one word does to a feature, on average over the texts that hold it."""

    word: str
    weight: float = Field(description="mean LIME weight, in standard deviations of the feature")
    low: float = Field(description="95% interval of the mean")
    high: float
    count: int = Field(description="texts that hold it")


class PictureCard(_Part):
    """A picture made to activate a feature most, or least."""

    direction: Literal["max", "min"]
    method: str
    image: str = Field(description="data: URI of a JPEG")
    activation: float = Field(description="what the finished picture reaches")
    percentile: float | None = Field(
        description="share of real examples below it, in percent; None: not compared"
    )
    failed: bool = Field(description="it does not activate the feature beyond real examples")


class HighlightCard(_Part):
    """What in one example drives a feature, by LIME."""

    key: str = Field(description="example key")
    r2: float | None = Field(description="how well the parts explain the feature there")
    spans: list[tuple[int, int, float]] = Field(
        default=[], description="(first character, end, weight) of the words that matter"
    )
    image: str | None = Field(
        default=None,
        description="data: URI of a JPEG in which all but the regions that drive it are dimmed",
    )


class TrustCard(_Part):
    """Does an explanation alone tell on which test examples the feature fires?"""

    explanation: str = Field(description="words (those shown), all words, regions or name")
    direction: Literal["high", "low"] = Field(description="fires high, or fires low")
    accuracy: Estimate = Field(description="balanced accuracy; 0.5 is chance")
    clear: bool


class FeatureCard(_Part):
    """One deep feature that the selected layer uses, or one of the dense layer's strongest."""

    index: int
    name: str | None = None
    name_source: str | None = Field(
        default=None, description="who named it: person, words, enrichment or vocabulary"
    )
    name_score: float | None = Field(
        default=None, description="balanced accuracy of the name on test examples"
    )
    words: list[WordRow] = Field(default=[], description="what raises it and what lowers it")
    pictures: list[PictureCard] = []
    highlights: list[HighlightCard] = []
    trust: list[TrustCard] = []
    classes: list[tuple[int, float]] = Field(description="(class index, weight), by |weight|")
    highest: list[tuple[str, float]] = Field(description="(example key, activation), descending")
    lowest: list[tuple[str, float]] = Field(description="(example key, activation), ascending")
    histogram: list[ActivationBand]
    bands: list[BandCard] = Field(default=[], description="examples between the extremes")


class ExampleCard(_Part):
    """One example as a person sees it; empty text and image under --no-examples."""

    key: str
    id: str
    split: str
    label: int
    predicted: int
    text: str | None = None
    image: str | None = Field(default=None, description="data: URI of a JPEG thumbnail")


class SliceRow(_Part):
    """Accuracy on one value of one metadata column, on test."""

    column: str
    value: str
    accuracy: Estimate
    recall: list[Estimate | None] = Field(description="by class")


class Confusion(_Part):
    """Test examples of class `true` that the layer calls `predicted`."""

    true: int
    predicted: int
    count: int


class Effect(_Part):
    """What an intervention, or a comparison, measured on the test split."""

    what: str = Field(description="what is measured, in words")
    value: float
    low: float
    high: float
    n: int
    unit: Literal["share", "points"] = Field(
        default="share", description="share of n, or difference of shares in points (0.12 is 12)"
    )


class FindingCard(_Part):
    """One thing that may be wrong with the model."""

    kind: FindingKind
    key: str = Field(default="", description="what stays when the finding is made again")
    title: str
    where: str
    evidence: str = Field(description="what made it suspicious, on validation")
    effect: Effect
    confirmed: bool = Field(description="the test split agrees, corrected for the number of tests")
    p_value: float = Field(description="on test, after Holm's correction")
    mend: str
    features: list[int] = []
    classes: list[int] = []
    examples: list[str] = Field(default=[], description="keys of examples that show it")
    pattern: str | None = Field(default=None, description="what was put into inputs, in words")


class TestedRow(_Part):
    """A pattern that was put into inputs of other classes, whether it was found to be used or not.

    Shares are of `n` examples of `split`.
    """

    pattern: str
    target: int = Field(description="the class that it goes with")
    inside: float = Field(description="share of the class's examples that show it")
    outside: float = Field(description="share of the others' that show it")
    split: Literal["validation", "test"]
    n: int
    shift: float = Field(description="change of the class's log-odds beyond that by a control")
    shift_low: float
    shift_high: float
    flips: float = Field(description="share whose prediction becomes the class")
    control_flips: float = Field(description="the same with the control")
    used: bool


class AnalysisRow(_Part):
    """Something about the decision layer as a whole, in words."""

    kind: Literal["shared", "similar", "duplicate", "substitute", "stable"]
    words: str


class ReportData(_Part):
    """Everything that a report shows."""

    schema_version: int = SCHEMA_VERSION
    made_by: str
    name: str
    model: ModelCard
    data: DataCard
    path: PathCard
    layers: list[LayerCard]
    agreement: list[AgreementRow] = []
    agreement_note: str = ""
    ablation: list[AblationRow]
    classes: list[ClassRow]
    features: list[FeatureCard]
    explained: list[str] = Field(
        default=[], description="how the features were explained, and how far to trust it, in words"
    )
    analysis: list[AnalysisRow] = Field(
        default=[], description="the decision layer as a whole; empty: not analysed"
    )
    slices: list[SliceRow]
    confusions: list[Confusion]
    mended_by_one: Estimate | None = Field(
        default=None, description="test errors that the removal of one single feature mends"
    )
    findings: list[FindingCard]
    tested: list[TestedRow] = Field(
        default=[], description="what was put into inputs; empty: nothing, or not recorded"
    )
    examples: list[ExampleCard]
    limits: list[str] = Field(default=[], description="what was not done, and why, in words")
    checks: list[str] = Field(
        default=[],
        description="what was looked for to find the findings, in words; empty: not recorded",
    )
