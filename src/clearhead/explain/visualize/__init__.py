"""What does this feature respond to, shown as a picture made by optimisation."""

from clearhead.explain.visualize.result import (
    FeatureVisualization,
    load_visualizations,
    save_visualizations,
)
from clearhead.explain.visualize.transforms import Transforms
from clearhead.explain.visualize.visualize import visualize

__all__ = [
    "FeatureVisualization",
    "Transforms",
    "load_visualizations",
    "save_visualizations",
    "visualize",
]
