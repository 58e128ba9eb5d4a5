"""A report whose every text tries to break the page."""

from __future__ import annotations

from clearhead.report.schema import (
    AnalysisRow,
    ReportData,
)
from tests.report.sample import sample_report

HOSTILE = [
    "</script><script>window.pwned=1;document.title='pwned'</script>",
    "<img src=x onerror=\"window.pwned=1;document.title='pwned'\">",
    "\"'`><svg/onload=document.title='pwned'>&lt;b&gt; &amp; {{script}} ${1}",
    "<!--<script>\u2028\u2029]]>\x00\x07\x1b[31m",
    "\u202eright to left override \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "\U0001f9e0\U0001f468\u200d\U0001f469\u200d\U0001f467 emoji \u0301\u0301\u0301 \ufffe",
    "lone \ud800 surrogate \udfff",
    "w" * 100_000,
    "",
    "</noscript><h1>broken out</h1>",
    "__proto__",
]


def hostile_report() -> ReportData:
    """A report whose every text tries to break the page."""
    data = sample_report(K=4, used=5)
    texts = HOSTILE
    examples = [
        e.model_copy(update={"text": texts[i % len(texts)], "id": texts[(i + 3) % 7]})
        for i, e in enumerate(data.examples)
    ]
    names = texts[:4]
    classes = [c.model_copy(update={"name": names[c.index]}) for c in data.classes]
    findings = [
        f.model_copy(
            update={
                "title": texts[i],
                "where": texts[i],
                "evidence": texts[i + 1],
                "mend": texts[i + 2],
                "effect": f.effect.model_copy(update={"what": texts[i]}),
            }
        )
        for i, f in enumerate(data.findings)
    ]
    slices = [
        s.model_copy(update={"column": texts[0], "value": texts[i]})
        for i, s in enumerate(data.slices)
    ]
    features = [
        f.model_copy(
            update={
                "name": texts[i % 4],
                "name_source": texts[0],
                "words": [
                    w.model_copy(update={"word": t}) for w, t in zip(f.words, texts, strict=False)
                ],
                "highlights": [
                    h.model_copy(update={"spans": [(0, 3, 1.0), (2, 9, -1.0), (7, 10**6, 1.0)]})
                    for h in f.highlights
                ],
            }
        )
        for i, f in enumerate(data.features)
    ]
    card = data.data.model_copy(
        update={"name": texts[0], "class_names": names, "notes": texts, "metadata": texts}
    )
    return data.model_copy(
        update={
            "name": texts[0],
            "made_by": texts[1],
            "data": card,
            "model": data.model.model_copy(update={"name": texts[2], "layer": texts[3]}),
            "examples": examples,
            "classes": classes,
            "features": features,
            "findings": findings,
            "slices": slices,
            "limits": texts,
            "explained": texts,
            "analysis": [AnalysisRow(kind="shared", words=text) for text in texts],
            "agreement_note": texts[0],
        }
    )
