"""What does this feature respond to, shown as a picture made by optimisation."""

from clearhead.explain.visualization.result import (
    FeatureVisualization,
    load_visualizations,
    save_visualizations,
)
from clearhead.explain.visualization.transforms import Transforms
from clearhead.explain.visualization.visualize import visualize

__all__ = [
    "FeatureVisualization",
    "Transforms",
    "load_visualizations",
    "save_visualizations",
    "visualize",
]
