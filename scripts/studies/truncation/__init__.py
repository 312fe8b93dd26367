"""Truncated starts: what telling a fitted model its start's origin is worth."""

from scripts.studies.study import Study
from scripts.studies.truncation import page, plan

STUDY = Study("truncation", plan.Args, plan.plan, page.page)
