"""Bench tools: what `ombo suggest` proposes by default, beside BayBE and Ax."""

from scripts.studies.bench_tools import page, plan
from scripts.studies.study import Study

STUDY = Study("bench_tools", plan.Args, plan.plan, page.page)
