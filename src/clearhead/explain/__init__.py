"""What does this feature respond to?"""

from clearhead.explain.clouds import WordCloudPicture, plot_cloud, word_cloud
from clearhead.explain.detect_regions import RegionModel, describe_regions, detect_regions
from clearhead.explain.detect_words import detect_words
from clearhead.explain.detection import Detection, Trust, detect, firing, trust
from clearhead.explain.enrichment import (
    Enrichment,
    detect_enrichment,
    find_enrichment,
    name_by_enrichment,
)
from clearhead.explain.examples import FeatureExamples, find_examples
from clearhead.explain.feature_words import FeatureWords, Word
from clearhead.explain.lime import (
    LimeExplanation,
    LimeExplanations,
    explain_images,
    explain_texts,
)
from clearhead.explain.names import FeatureName, merge_names, name_by_words, suggest_names
from clearhead.explain.parts import Parts, regions_of, words_of
from clearhead.explain.vocabulary import vocabulary_names
from clearhead.explain.words import WordTable, word_table

__all__ = [
    "Detection",
    "Enrichment",
    "FeatureExamples",
    "FeatureName",
    "FeatureWords",
    "LimeExplanation",
    "LimeExplanations",
    "Parts",
    "RegionModel",
    "Trust",
    "Word",
    "WordCloudPicture",
    "WordTable",
    "describe_regions",
    "detect",
    "detect_enrichment",
    "detect_regions",
    "detect_words",
    "explain_images",
    "explain_texts",
    "find_enrichment",
    "find_examples",
    "firing",
    "merge_names",
    "name_by_enrichment",
    "name_by_words",
    "plot_cloud",
    "regions_of",
    "suggest_names",
    "trust",
    "vocabulary_names",
    "word_cloud",
    "word_table",
    "words_of",
]
