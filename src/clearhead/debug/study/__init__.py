"""Do people understand the model better through its sparse layer? Questionnaires, and answers."""

from clearhead.debug.study.make import Study, StudySource, make_study
from clearhead.debug.study.question import ARMS, KINDS, Arm, Kind, Panel, Question
from clearhead.debug.study.read import StudyResult, check_key, read_study

__all__ = [
    "ARMS",
    "KINDS",
    "Arm",
    "Kind",
    "Panel",
    "Question",
    "Study",
    "StudyResult",
    "StudySource",
    "check_key",
    "make_study",
    "read_study",
]
