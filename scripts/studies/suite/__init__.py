"""The suite: every policy on every environment, and README's leaderboard."""

from scripts.studies.study import Study
from scripts.studies.suite import page, plan

STUDY = Study("suite", plan.Args, plan.plan, page.page)
