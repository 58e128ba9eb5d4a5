"""Labels that are probably wrong."""

from clearhead.debug.labels.noise import LabelNoise, Suspect, find_label_noise
from clearhead.debug.labels.noisy_pair import NoisyPair

__all__ = ["LabelNoise", "NoisyPair", "Suspect", "find_label_noise"]
