"""Calibration: where measured tables lie among the synthetic tasks that policies are trained on."""

from scripts.studies.calibration import page, plan
from scripts.studies.study import Study

STUDY = Study("calibration", plan.Args, plan.plan, page.page)
