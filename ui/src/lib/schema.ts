// Made from the pydantic models by `npm run types`: do not edit.

/**
 * Everything that the app shows: the report's data, and what moves with the slider.
 */
export interface AppData {
  schema_version: number;
  made_by: string;
  name: string;
  model: ModelCard;
  data: DataCard;
  path: PathCard;
  layers: LayerCard[];
  agreement: AgreementRow[];
  agreement_note: string;
  ablation: AblationRow[];
  classes: ClassRow[];
  features: FeatureCard[];
  /**
   * how the features were explained, and how far to trust it, in words
   */
  explained: string[];
  /**
   * the decision layer as a whole; empty: not analysed
   */
  analysis: AnalysisRow[];
  slices: SliceRow[];
  confusions: Confusion[];
  /**
   * test errors that the removal of one single feature mends
   */
  mended_by_one: Estimate | null;
  findings: FindingCard[];
  /**
   * what was put into inputs; empty: nothing, or not recorded
   */
  tested: TestedRow[];
  examples: ExampleCard[];
  /**
   * what was not done, and why, in words
   */
  limits: string[];
  /**
   * what was looked for to find the findings, in words; empty: not recorded
   */
  checks: string[];
  along: AlongPath;
  /**
   * of the selected layer, which a file of edits must name
   */
  layer_fingerprint: string;
  /**
   * terms for people; None: not tried
   */
  bias: BiasCard | null;
  /**
   * this layer beside others
   */
  compare: CompareCard[];
}
/**
 * The network that was split.
 */
export interface ModelCard {
  name: string;
  modality: 'text' | 'image';
  /**
   * p, width of the deep features
   */
  n_features: number;
  /**
   * features that are constant on the training split
   */
  n_dead: number;
  /**
   * the network has a decision layer of its own
   */
  has_head: boolean;
  /**
   * its own head is over the data's classes
   */
  same_classes: boolean;
  /**
   * dotted name of the decision layer that was found
   */
  layer: string | null;
  fingerprint: string;
}
/**
 * The labelled data.
 */
export interface DataCard {
  name: string;
  class_names: string[];
  splits: SplitRow[];
  /**
   * names of the metadata columns
   */
  metadata: string[];
  /**
   * how splits were made, and the like
   */
  notes: string[];
  problems: ProblemRow[];
  fingerprint: string;
}
/**
 * How many examples of each class a split holds.
 */
export interface SplitRow {
  split: 'train' | 'validation' | 'test';
  n: number;
  per_class: number[];
}
/**
 * Something in the data that was counted and passed over.
 */
export interface ProblemRow {
  kind: string;
  count: number;
  message: string;
  /**
   * ids of the first few
   */
  examples: string[];
}
/**
 * The regularization path of the sparse layer.
 */
export interface PathCard {
  family: string;
  /**
   * what it was fitted to: labels, or the network's predictions
   */
  targets: 'labels' | 'predictions';
  l1_ratio: number;
  tol: number;
  points: PointRow[];
  /**
   * index into points
   */
  selected: number;
  /**
   * the rule that selected it, in words
   */
  rule: string;
}
/**
 * One point of the regularization path.
 */
export interface PointRow {
  lam: number;
  features_per_class: number;
  n_nonzero: number;
  /**
   * features used by at least one class
   */
  n_features: number;
  /**
   * relative duality gap: how far from the optimum at most
   */
  gap: number;
  kkt: number;
  status: string;
  /**
   * by split
   */
  accuracy: {
    [k: string]: Estimate;
  };
}
/**
 * A share estimated from `n` examples, with its 95% interval.
 */
export interface Estimate {
  value: number;
  low: number;
  high: number;
  n: number;
}
/**
 * One decision layer: the sparse one, the dense ridge layer, or the network's own.
 */
export interface LayerCard {
  name: 'sparse' | 'dense' | 'network';
  description: string;
  lam: number | null;
  features_per_class: number;
  n_features: number;
  gap: number | null;
  status: string | null;
  /**
   * by split
   */
  accuracy: {
    [k: string]: Estimate;
  };
}
/**
 * How often a layer predicts what the network itself predicts.
 */
export interface AgreementRow {
  layer: 'sparse' | 'dense';
  split: string;
  agreement: Estimate;
  /**
   * mean KL divergence of its probabilities from the network's, in nats
   */
  kl: number | null;
}
/**
 * Test accuracy with only the top k features of each class, and with all but those.
 */
export interface AblationRow {
  layer: 'sparse' | 'dense';
  k: number;
  all: Estimate;
  top: Estimate;
  rest: Estimate;
}
/**
 * One class, as the selected layer sees it.
 */
export interface ClassRow {
  index: number;
  name: string;
  n_features: number;
  /**
   * on test; None without examples
   */
  recall: Estimate | null;
  /**
   * on test; None without predictions
   */
  precision: Estimate | null;
  dense_recall: Estimate | null;
  /**
   * sparse layer, by |weight|, descending
   */
  features: ClassFeature[];
  /**
   * the ten strongest of the dense layer
   */
  dense_features: ClassFeature[];
}
/**
 * One feature of one class.
 */
export interface ClassFeature {
  feature: number;
  weight: number;
  /**
   * share of the class's positive evidence, on validation
   */
  share: number;
}
/**
 * One deep feature that the selected layer uses, or one of the dense layer's strongest.
 */
export interface FeatureCard {
  index: number;
  name: string | null;
  /**
   * who named it: person, words, enrichment or vocabulary
   */
  name_source: string | null;
  /**
   * balanced accuracy of the name on test examples
   */
  name_score: number | null;
  /**
   * what raises it and what lowers it
   */
  words: WordRow[];
  pictures: PictureCard[];
  highlights: HighlightCard[];
  trust: TrustCard[];
  /**
   * (class index, weight), by |weight|
   */
  classes: [number, number][];
  /**
   * (example key, activation), descending
   */
  highest: [string, number][];
  /**
   * (example key, activation), ascending
   */
  lowest: [string, number][];
  histogram: ActivationBand[];
  /**
   * examples between the extremes
   */
  bands: BandCard[];
}
/**
 * What one word does to a feature, on average over the texts that hold it.
 */
export interface WordRow {
  word: string;
  /**
   * mean LIME weight, in standard deviations of the feature
   */
  weight: number;
  /**
   * 95% interval of the mean
   */
  low: number;
  high: number;
  /**
   * texts that hold it
   */
  count: number;
}
/**
 * A picture made to activate a feature most, or least.
 */
export interface PictureCard {
  direction: 'max' | 'min';
  method: string;
  /**
   * data: URI of a JPEG
   */
  image: string;
  /**
   * what the finished picture reaches
   */
  activation: number;
  /**
   * share of real examples below it, in percent; None: not compared
   */
  percentile: number | null;
  /**
   * it does not activate the feature beyond real examples
   */
  failed: boolean;
}
/**
 * What in one example drives a feature, by LIME.
 */
export interface HighlightCard {
  /**
   * example key
   */
  key: string;
  /**
   * how well the parts explain the feature there
   */
  r2: number | null;
  /**
   * (first character, end, weight) of the words that matter
   */
  spans: [number, number, number][];
  /**
   * data: URI of a JPEG in which all but the regions that drive it are dimmed
   */
  image: string | null;
}
/**
 * Does an explanation alone tell on which test examples the feature fires?
 */
export interface TrustCard {
  /**
   * words (those shown), all words, regions or name
   */
  explanation: string;
  /**
   * fires high, or fires low
   */
  direction: 'high' | 'low';
  accuracy: Estimate1;
  clear: boolean;
}
/**
 * A share estimated from `n` examples, with its 95% interval.
 */
export interface Estimate1 {
  value: number;
  low: number;
  high: number;
  n: number;
}
/**
 * One bar of the histogram of a feature's standardised activation.
 */
export interface ActivationBand {
  low: number;
  high: number;
  count: number;
}
/**
 * Some examples from one band between the quantiles of a feature's activation.
 */
export interface BandCard {
  /**
   * quantile where the band begins, in [0, 1]
   */
  low: number;
  high: number;
  /**
   * (example key, activation)
   */
  examples: [string, number][];
}
/**
 * Something about the decision layer as a whole, in words.
 */
export interface AnalysisRow {
  kind: 'shared' | 'similar' | 'duplicate' | 'substitute' | 'stable';
  words: string;
}
/**
 * Accuracy on one value of one metadata column, on test.
 */
export interface SliceRow {
  column: string;
  value: string;
  accuracy: Estimate;
  /**
   * by class
   */
  recall: (Estimate | null)[];
}
/**
 * Test examples of class `true` that the layer calls `predicted`.
 */
export interface Confusion {
  true: number;
  predicted: number;
  count: number;
}
/**
 * One thing that may be wrong with the model.
 */
export interface FindingCard {
  kind:
    | 'shortcut'
    | 'bias'
    | 'label_noise'
    | 'leak'
    | 'slice'
    | 'confusion'
    | 'leaning'
    | 'hub'
    | 'blame'
    | 'given_up';
  /**
   * what stays when the finding is made again
   */
  key: string;
  title: string;
  where: string;
  /**
   * what made it suspicious, on validation
   */
  evidence: string;
  effect: Effect;
  /**
   * the test split agrees, corrected for the number of tests
   */
  confirmed: boolean;
  /**
   * on test, after Holm's correction
   */
  p_value: number;
  mend: string;
  features: number[];
  classes: number[];
  /**
   * keys of examples that show it
   */
  examples: string[];
  /**
   * what was put into inputs, in words
   */
  pattern: string | null;
}
/**
 * What an intervention, or a comparison, measured on the test split.
 */
export interface Effect {
  /**
   * what is measured, in words
   */
  what: string;
  value: number;
  low: number;
  high: number;
  n: number;
  /**
   * share of n, or difference of shares in points (0.12 is 12)
   */
  unit: 'share' | 'points';
}
/**
 * A pattern that was put into inputs of other classes, whether it was found to be used or not.
 *
 * Shares are of `n` examples of `split`.
 */
export interface TestedRow {
  pattern: string;
  /**
   * the class that it goes with
   */
  target: number;
  /**
   * share of the class's examples that show it
   */
  inside: number;
  /**
   * share of the others' that show it
   */
  outside: number;
  split: 'validation' | 'test';
  n: number;
  /**
   * change of the class's log-odds beyond that by a control
   */
  shift: number;
  shift_low: number;
  shift_high: number;
  /**
   * share whose prediction becomes the class
   */
  flips: number;
  /**
   * the same with the control
   */
  control_flips: number;
  used: boolean;
}
/**
 * One example as a person sees it; empty text and image under --no-examples.
 */
export interface ExampleCard {
  key: string;
  id: string;
  split: string;
  label: number;
  predicted: number;
  text: string | null;
  /**
   * data: URI of a JPEG thumbnail
   */
  image: string | null;
}
/**
 * Coefficients at the points of the path, and the activations that they weigh.
 *
 * A *position* is ``class * n_features + feature``. The arrays of points begin with
 * the sparsest; ``points`` says which points of the path they are.
 */
export interface AlongPath {
  /**
   * indices into path.points, ascending
   */
  points: number[];
  intercept: Packed;
  enter_counts: Packed1;
  enter: Packed2;
  leave_counts: Packed3;
  leave: Packed4;
  values: Packed5;
  /**
   * by split, uint32 (points, K): examples of a class predicted right; empty where it would have taken too long
   */
  hits: {
    [k: string]: Packed6;
  };
  /**
   * by split, the dense layer's
   */
  dense_hits: {
    [k: string]: number[];
  };
  mean_at: Packed7;
  mean: Packed8;
  columns: Packed9;
  /**
   * (n,) examples with activations
   */
  keys: string[];
  /**
   * (n,)
   */
  labels: number[];
  /**
   * (n,)
   */
  splits: string[];
  activations: PackedColumns;
  /**
   * every test example is among the keys
   */
  whole_test: boolean;
  dense_intercept: Packed13;
  /**
   * float32 (K, m); None: too many, see dense_features of classes
   */
  dense_weight: Packed6 | null;
  /**
   * float32 (n, K): with all features, also those not in columns
   */
  dense_logits: Packed6 | null;
}
/**
 * float32 (points, K)
 */
export interface Packed {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * uint32 (points,)
 */
export interface Packed1 {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * positions that become non-zero, ascending in each point
 */
export interface Packed2 {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * uint32 (points,)
 */
export interface Packed3 {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * positions that become zero, ascending in each point
 */
export interface Packed4 {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * float32: weights of each point in order of position
 */
export interface Packed5 {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * An array as base64 of its little-endian bytes, row by row.
 */
export interface Packed6 {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * An array as base64 of its little-endian bytes, row by row.
 */
export interface Packed7 {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * An array as base64 of its little-endian bytes, row by row.
 */
export interface Packed8 {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * An array as base64 of its little-endian bytes, row by row.
 */
export interface Packed9 {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * (n, m), standardised
 */
export interface PackedColumns {
  low: Packed10;
  step: Packed11;
  code: Packed12;
}
/**
 * An array as base64 of its little-endian bytes, row by row.
 */
export interface Packed10 {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * An array as base64 of its little-endian bytes, row by row.
 */
export interface Packed11 {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * An array as base64 of its little-endian bytes, row by row.
 */
export interface Packed12 {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * An array as base64 of its little-endian bytes, row by row.
 */
export interface Packed13 {
  dtype: 'uint16' | 'uint32' | 'float32';
  shape: number[];
  /**
   * base64
   */
  data: string;
}
/**
 * Every term that was tried.
 */
export interface BiasCard {
  /**
   * the largest sure one first
   */
  rows: TermRow[];
  n_terms: number;
  templates: string[];
  /**
   * the neutral terms
   */
  controls: string[];
  /**
   * share of sentences that neutral terms change
   */
  control_flips: number;
}
/**
 * What one term does to one class in neutral sentences, beyond neutral terms.
 */
export interface TermRow {
  term: string;
  group: string;
  /**
   * class index
   */
  target: number;
  /**
   * change of the class's log-odds
   */
  shift: number;
  low: number;
  high: number;
  /**
   * corrected for all terms and classes
   */
  p_value: number;
  /**
   * share of the sentences whose prediction is another
   */
  flips: number;
  /**
   * (feature, its part of the shift), the largest first
   */
  moves: [number, number][];
}
/**
 * Two models, a before b, on the examples they have in common.
 */
export interface CompareCard {
  name_a: string;
  name_b: string;
  n_common: number;
  n_test: number;
  min_correlation: number;
  same_network: boolean;
  /**
   * both are layers of this run
   */
  own: boolean;
  accuracies: AccuracyRow[];
  matches: MatchRow[];
  n_matches: number;
  only: OnlyRow[];
  n_only: {
    [k: string]: number;
  };
  changed: ChangedRow[];
  /**
   * by outcome
   */
  n_changed: {
    [k: string]: number;
  };
  findings: FindingRow[];
  notes: string[];
}
/**
 * Accuracy of both on the same test examples, and the paired difference b − a.
 */
export interface AccuracyRow {
  what: 'overall' | 'class' | 'slice';
  name: string;
  a: Estimate;
  b: Estimate;
  difference: number;
  low: number;
  high: number;
  /**
   * McNemar's, corrected over classes and slices
   */
  p_value: number;
  sure: boolean;
}
/**
 * A feature of a and its counterpart in b.
 */
export interface MatchRow {
  feature_a: number;
  feature_b: number;
  correlation: number;
  identical: boolean;
  /**
   * (class, weight)
   */
  weights_a: [string, number][];
  weights_b: [string, number][];
  name_a: string | null;
  name_b: string | null;
}
/**
 * A feature without a counterpart.
 */
export interface OnlyRow {
  model: 'a' | 'b';
  feature: number;
  name: string | null;
  weights: [string, number][];
  nearest: number | null;
  correlation: number;
}
/**
 * A test example that the two decide differently.
 */
export interface ChangedRow {
  id: string;
  label: string;
  before: string;
  after: string;
  outcome: 'mended' | 'broken' | 'other mistake';
}
/**
 * A finding that went, came or stayed.
 */
export interface FindingRow {
  status: 'went' | 'came' | 'stayed';
  title: string;
  /**
   * confirmed in a; None: not found there
   */
  before: boolean | null;
  after: boolean | null;
}
