// Numbers as a person reads them. A missing number is a dash, never "NaN".

const DASH = "\u2013";
const MINUS = "\u2212";
const known = (value) => typeof value === "number" && Number.isFinite(value);
const signed = (text) => text.replace("-", MINUS);

const count = (value) => (known(value) ? Math.round(value).toLocaleString("en-US") : DASH);
const percent = (value) => (known(value) ? `${signed((100 * value).toFixed(1))}%` : DASH);
const wholePercent = (value) => {
  if (!known(value)) return DASH;
  return value > 0 && value < 0.01 ? "<1%" : `${Math.round(100 * value)}%`;
};
const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

// A number of features: 8.4, but 127 and 1,024.
function amount(value) {
  if (!known(value)) return DASH;
  if (value >= 100 || Number.isInteger(value)) return count(value);
  return value.toFixed(value < 0.095 ? 2 : 1);
}

function points(difference) {
  if (!known(difference)) return DASH;
  const value = (100 * difference).toFixed(1);
  if (Number(value) === 0) return "0.0 points";
  return `${difference > 0 ? "+" : ""}${signed(value)} points`;
}

// Gaps and strengths: 3e-5, 0.012.
function tiny(value) {
  if (!known(value)) return DASH;
  if (value === 0) return "0";
  return Math.abs(value) < 1e-3 ? signed(value.toExponential(0)) : String(Number(value.toPrecision(2)));
}
function strength(value) {
  if (!known(value)) return DASH;
  return Math.abs(value) < 1e-3 && value !== 0
    ? signed(value.toExponential(1)) : String(Number(value.toPrecision(3)));
}
const weight = (value) =>
  known(value) ? `${value > 0 ? "+" : ""}${signed(value.toFixed(Math.abs(value) < 0.1 ? 3 : 2))}` : DASH;
const deviations = (value) =>
  known(value) ? `${value > 0 ? "+" : ""}${signed(value.toFixed(1))}\u2009σ` : DASH;

const range = (e) =>
  e ? `${signed((100 * e.low).toFixed(1))}${DASH}${signed((100 * e.high).toFixed(1))}` : "";
const withRange = (e) => (e ? `${percent(e.value)} (${range(e)})` : DASH);

// "a, b and c"
function listed(words) {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const lower = (text) => text.charAt(0).toLowerCase() + text.slice(1);
