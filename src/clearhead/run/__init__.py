"""What has been computed for this model, what is missing, in which directory?"""

from clearhead.run.comparing import compare
from clearhead.run.directory import RunFile
from clearhead.run.explaining import EFFORTS, Effort
from clearhead.run.run import Run, open_run
from clearhead.run.start import new_run
from clearhead.run.studying import make_study, read_study

__all__ = [
    "EFFORTS",
    "Effort",
    "Run",
    "RunFile",
    "compare",
    "make_study",
    "new_run",
    "open_run",
    "read_study",
]
