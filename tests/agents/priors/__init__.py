"""Tests of priors that are learnt from families."""
