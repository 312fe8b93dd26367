"""Policies against the exact optimum, on campaigns small enough to be solved."""

from scripts.studies.exact import page, plan
from scripts.studies.study import Study

STUDY = Study("exact", plan.Args, plan.plan, page.page)
