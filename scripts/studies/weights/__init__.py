"""Tuned settings: exploration weights of `ucb`, and schedules, on problems outside the suite."""

from scripts.studies.study import Study
from scripts.studies.weights import page, plan

STUDY = Study("weights", plan.Args, plan.plan, page.page)
