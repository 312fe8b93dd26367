"""A policy of many tasks by the plain recipe, on families of problems that it has never met."""

from scripts.studies.meta_exploration import page, plan
from scripts.studies.study import Study

STUDY = Study("meta_exploration", plan.Args, plan.plan, page.page)
