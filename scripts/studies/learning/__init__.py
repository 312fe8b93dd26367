"""What can be learned: ids, utilities, controls and rewards, by one small PPO, over 3 seeds."""

from scripts.studies.learning import page, plan
from scripts.studies.study import Study

STUDY = Study("learning", plan.Args, plan.plan, page.page)
