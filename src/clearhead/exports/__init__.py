"""A model that others can use: in which format, and is it proven equal?"""

from clearhead.exports.format import FORMATS
from clearhead.exports.inputs import ExportInputs
from clearhead.exports.load import ExportedModel, load
from clearhead.exports.prediction import Prediction
from clearhead.exports.write import export

__all__ = ["FORMATS", "ExportInputs", "ExportedModel", "Prediction", "export", "load"]
