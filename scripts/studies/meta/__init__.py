"""The meta-policy: what it is worth on the suite's test problems, and where the prior is known."""

from scripts.studies.meta import page, plan
from scripts.studies.study import Study

STUDY = Study("meta", plan.Args, plan.plan, page.page)
