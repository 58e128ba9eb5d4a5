"""What can go wrong.

::

    ClearheadError
    ├── InputError (also ValueError)      an argument is wrong
    │   ├── DataError                     the labelled data are wrong
    │   └── BackboneError                 the network is wrong
    │       └── SplitError                no decision layer could be proven
    ├── MissingDependencyError (also ImportError)
    ├── ExportError                       it cannot be written, or is not equal to the run's model
    ├── NotConvergedError                 strict=True and a point is not optimal
    ├── StorageError                      something on disk is wrong
    │   ├── CorruptFileError              a file does not match its checksum
    │   ├── FingerprintMismatchError      it belongs to another model or other data
    │   ├── SchemaVersionError            it was written by a newer clearhead
    │   ├── ConflictError                 it has been changed since it was read
    │   └── StorageFullError              no space was left while writing
    └── StepMissingError                  a step needs one that has not run

Every message says what was wrong, where, and how to mend it. The command line
turns each of them into exit code 2.
"""

from __future__ import annotations

__all__ = [
    "BackboneError",
    "ClearheadError",
    "ConflictError",
    "CorruptFileError",
    "DataError",
    "ExportError",
    "FingerprintMismatchError",
    "InputError",
    "MissingDependencyError",
    "NotConvergedError",
    "SchemaVersionError",
    "SplitError",
    "StepMissingError",
    "StorageError",
    "StorageFullError",
]


class ClearheadError(Exception):
    """Base of every error that clearhead raises on purpose."""


class InputError(ClearheadError, ValueError):
    """An argument is wrong: names it, what was expected, what arrived, what to do."""


class DataError(InputError):
    """The labelled data are wrong."""


class BackboneError(InputError):
    """The network is wrong."""


class SplitError(BackboneError):
    """No layer of the network could be proven to be its decision layer."""


class MissingDependencyError(ClearheadError, ImportError):
    """An optional package is needed; the message says how to install it."""


class NotConvergedError(ClearheadError):
    """A path point misses its tolerance and ``strict=True`` was asked for."""


class ExportError(ClearheadError):
    """A format cannot hold the model, or what was written does not compute the same."""


class StorageError(ClearheadError):
    """Something on disk is wrong."""


class CorruptFileError(StorageError):
    """A file is damaged: it does not match its recorded size or checksum."""


class FingerprintMismatchError(StorageError):
    """What is on disk was computed from another model or from other data."""


class SchemaVersionError(StorageError):
    """A file was written by a newer version of clearhead."""


class ConflictError(StorageError):
    """Somebody else has changed it since it was read."""


class StorageFullError(StorageError):
    """No space was left on the device; what had been finished is kept."""


class StepMissingError(ClearheadError):
    """A step needs the result of one that has not been run."""
