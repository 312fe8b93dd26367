"""Surrogates: what each recipe predicts, beside other models, and what it is worth in campaigns."""

from scripts.studies.study import Study
from scripts.studies.surrogates import page, plan

STUDY = Study("surrogates", plan.Args, plan.plan, page.page)
