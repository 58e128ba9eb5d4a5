"""What does this feature respond to?"""

from clearhead.explain.agreement import Agreement, agreement
from clearhead.explain.build_index import build_index, find_examples, index_examples
from clearhead.explain.clouds import WordCloudPicture, plot_cloud, word_cloud
from clearhead.explain.contributions import ClassContributions, Contribution
from clearhead.explain.detect_regions import RegionModel, describe_regions, detect_regions
from clearhead.explain.detect_words import detect_words
from clearhead.explain.detection import Detection, Trust, detect, firing, trust
from clearhead.explain.enrichment import (
    Enrichment,
    detect_enrichment,
    find_enrichment,
    name_by_enrichment,
)
from clearhead.explain.examples import FeatureBand, FeatureExamples
from clearhead.explain.explained import Explained
from clearhead.explain.feature_words import FeatureWords, Word
from clearhead.explain.gradients import GradientExplanation, explain_gradients
from clearhead.explain.index import ExampleIndex
from clearhead.explain.lime import (
    LimeExplanation,
    LimeExplanations,
    explain_images,
    explain_texts,
)
from clearhead.explain.names import FeatureName, merge_names, name_by_words, suggest_names
from clearhead.explain.parts import Parts, regions_of, words_of
from clearhead.explain.visualization import FeatureVisualization, load_visualizations, visualize
from clearhead.explain.vocabulary import vocabulary_names
from clearhead.explain.words import WordTable, word_table

__all__ = [
    "Agreement",
    "ClassContributions",
    "Contribution",
    "Detection",
    "Enrichment",
    "ExampleIndex",
    "Explained",
    "FeatureBand",
    "FeatureExamples",
    "FeatureName",
    "FeatureVisualization",
    "FeatureWords",
    "GradientExplanation",
    "LimeExplanation",
    "LimeExplanations",
    "Parts",
    "RegionModel",
    "Trust",
    "Word",
    "WordCloudPicture",
    "WordTable",
    "agreement",
    "build_index",
    "describe_regions",
    "detect",
    "detect_enrichment",
    "detect_regions",
    "detect_words",
    "explain_gradients",
    "explain_images",
    "explain_texts",
    "find_enrichment",
    "find_examples",
    "firing",
    "index_examples",
    "load_visualizations",
    "merge_names",
    "name_by_enrichment",
    "name_by_words",
    "plot_cloud",
    "regions_of",
    "suggest_names",
    "trust",
    "visualize",
    "vocabulary_names",
    "word_cloud",
    "word_table",
    "words_of",
]
