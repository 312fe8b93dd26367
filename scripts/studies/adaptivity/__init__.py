"""Adaptivity: the same measurements in fewer or more rounds."""

from scripts.studies.adaptivity import page, plan
from scripts.studies.study import Study

STUDY = Study("adaptivity", plan.Args, plan.plan, page.page)
