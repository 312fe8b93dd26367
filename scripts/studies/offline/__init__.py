"""One round of TF-Bind-8, beside published numbers and beside random search."""

from scripts.studies.offline import page, plan
from scripts.studies.study import Study

STUDY = Study("offline", plan.Args, plan.plan, page.page)
