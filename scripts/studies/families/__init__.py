"""Families: what a prior that was learnt from training instances is worth to its relatives."""

from scripts.studies.families import page, plan
from scripts.studies.study import Study

STUDY = Study("families", plan.Args, plan.plan, page.page)
