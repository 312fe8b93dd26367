"""Columns that tables of campaigns may lack: those of earlier versions, or made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def with_defaults(campaigns: pd.DataFrame) -> pd.DataFrame:
    """The campaigns with the columns that may be left out: `env_kwargs`, `method` and `seen`."""
    if "env_kwargs" not in campaigns.columns:
        campaigns = campaigns.assign(env_kwargs="{}")
    if "method" not in campaigns.columns and "policy" in campaigns.columns:
        campaigns = campaigns.assign(method=campaigns["policy"])
    return with_seen_column(campaigns)


def with_seen_column(frame: pd.DataFrame) -> pd.DataFrame:
    """A table with `seen`, which those of earlier versions lack: nothing was that is known."""
    if "seen" in frame.columns or not len(frame.columns):
        return frame
    return frame.assign(seen=False)
