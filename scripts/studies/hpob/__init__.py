"""HPO-B: policies beside the published runs of other methods."""

from scripts.studies.hpob import page, plan
from scripts.studies.study import Study

STUDY = Study("hpob", plan.Args, plan.plan, page.page)
