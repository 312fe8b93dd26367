"""Misspecification: the same campaigns by policies whose model is wrong."""

from scripts.studies.misspecification import page, plan
from scripts.studies.study import Study

STUDY = Study("misspecification", plan.Args, plan.plan, page.page)
