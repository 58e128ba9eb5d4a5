"""The run as data (one versioned schema, additive) and as one HTML file."""

from clearhead.report.along import AppData, build_app
from clearhead.report.build import ReportInputs, build_report
from clearhead.report.explained import WORDS_SHOWN, inner_bands
from clearhead.report.html import render_html, write_html, written_report
from clearhead.report.schema import SCHEMA_VERSION, ReportData

__all__ = [
    "SCHEMA_VERSION",
    "WORDS_SHOWN",
    "AppData",
    "ReportData",
    "ReportInputs",
    "build_app",
    "build_report",
    "inner_bands",
    "render_html",
    "write_html",
    "written_report",
]
