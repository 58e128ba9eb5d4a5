"""What may be asked of the app, and within which limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from clearhead.debug.study import ARMS, KINDS, Arm, Kind
from clearhead.run.explaining import EffortName
from clearhead.run.notes import Mark

__all__ = [
    "EXAMPLES",
    "JOB",
    "MARK",
    "NAME",
    "AnswerFile",
    "AnswersJob",
    "Change",
    "EditJob",
    "ExamplesWanted",
    "ExportJob",
    "JobWanted",
    "MarkChange",
    "NameChange",
    "PreviewJob",
    "SelectJob",
    "StepJob",
    "StudyJob",
    "TryJob",
    "UndoJob",
]

Feature = Annotated[int, Field(ge=0)]
ClassName = Annotated[str, Field(max_length=10_000)]
Key = Annotated[str, Field(max_length=10_000)]
Version = Annotated[str, Field(max_length=64)]


class _Asked(BaseModel):
    # What is not known is refused: a misspelt option would be passed over.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class NameChange(_Asked):
    """Another name of a feature; None takes it away."""

    name: str | None


class MarkChange(_Asked):
    """What a feature is to a class; None takes the mark away."""

    class_name: ClassName
    mark: Mark | None


class ExamplesWanted(_Asked):
    """Examples to look at, by key."""

    keys: list[Key] = Field(min_length=1, max_length=500)


class Change(_Asked):
    """One edit, as in an edit file; what each action takes is checked by the edit itself.

    Counterexamples are not among them: they name files of this machine, and a page must not.
    """

    action: Literal[
        "zero", "scale", "ban", "reweight", "relabel", "unlink", "refit", "calibrate", "finding"
    ]
    features: list[Feature] | None = Field(default=None, max_length=100_000)
    classes: list[ClassName] | None = Field(default=None, max_length=100_000)
    factor: float | None = None
    column: Annotated[str, Field(max_length=10_000)] | None = None
    value: Annotated[str, Field(max_length=10_000)] | None = None
    ids: list[Key] | None = Field(default=None, max_length=100_000)
    labels: list[ClassName] | None = Field(default=None, max_length=100_000)
    finding: Annotated[str, Field(max_length=100)] | int | None = None

    def given(self) -> dict[str, Any]:
        """Give only what was said."""
        return self.model_dump(exclude_none=True)


class PreviewJob(_Asked):
    """Measure what edits would do."""

    kind: Literal["preview"]
    edits: list[Change] = Field(min_length=1, max_length=100)


class EditJob(_Asked):
    """Make edits, after those of the log whose version is named."""

    kind: Literal["edit"]
    edits: list[Change] = Field(min_length=1, max_length=100)
    version: Version


class UndoJob(_Asked):
    """Take the last edit back, or make it again."""

    kind: Literal["undo", "redo"]
    version: Version


class SelectJob(_Asked):
    """Select another point of the path, and explain and debug its layer as before."""

    kind: Literal["select"]
    point: Annotated[int, Field(ge=0)] | None = None
    rule: Annotated[str, Field(max_length=100)] | None = None
    effort: EffortName = "quick"


class StepJob(_Asked):
    """Do a step, again if it is forced."""

    kind: Literal["explain", "debug", "analyze"]
    effort: EffortName = "default"
    force: bool = False


class ExportJob(_Asked):
    """Write the model for use without clearhead."""

    kind: Literal["export"]
    format: Literal["torch", "hf", "onnx", "sklearn"]
    layer: Literal["sparse", "edited"] = "sparse"


class TryJob(_Asked):
    """What does the network see in a text or a picture of mine?"""

    kind: Literal["try"]
    text: Annotated[str, Field(max_length=200_000)] | None = None
    image: Annotated[str, Field(description="base64 of an image file")] | None = None


class StudyJob(_Asked):
    """Make a questionnaire for people."""

    kind: Literal["study"]
    questions: Annotated[int, Field(ge=1, le=500)] = 24
    kinds: list[Kind] = Field(default=list(KINDS), min_length=1)
    arms: list[Arm] = Field(default=list(ARMS), min_length=1)
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class AnswerFile(_Asked):
    """What one person answered, as the questionnaire's page saved it."""

    name: Annotated[str, Field(max_length=500)]
    text: Annotated[str, Field(max_length=1_000_000)]


class AnswersJob(_Asked):
    """Analyse what people answered."""

    kind: Literal["answers"]
    files: list[AnswerFile] = Field(min_length=1, max_length=500)


JobWanted = Annotated[
    PreviewJob
    | EditJob
    | UndoJob
    | SelectJob
    | StepJob
    | ExportJob
    | TryJob
    | StudyJob
    | AnswersJob,
    Field(discriminator="kind"),
]

NAME = TypeAdapter(NameChange)
MARK = TypeAdapter(MarkChange)
EXAMPLES = TypeAdapter(ExamplesWanted)
JOB: TypeAdapter[JobWanted] = TypeAdapter(JobWanted)
