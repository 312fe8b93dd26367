"""Planning: does it pay to simulate the rest of the campaign?"""

from scripts.studies.planning import page, plan
from scripts.studies.study import Study

STUDY = Study("planning", plan.Args, plan.plan, page.page)
