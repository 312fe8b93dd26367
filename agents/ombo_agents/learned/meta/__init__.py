"""One policy for every design space, horizon, batch size, start and utility, learnt over tasks."""

from ombo_agents.learned.meta.policy import Meta
from ombo_agents.learned.meta.rule import Rule, read_rule, write_rule
from ombo_agents.learned.meta.shipped import meta

__all__ = ["Meta", "Rule", "meta", "read_rule", "write_rule"]
