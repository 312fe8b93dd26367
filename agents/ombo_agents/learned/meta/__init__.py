"""One policy for every design space, horizon, batch size, start and utility, learnt over tasks."""

from ombo_agents.learned.meta.policy import Meta
from ombo_agents.learned.meta.rule import Rule, read_rule, write_rule

__all__ = ["Meta", "Rule", "read_rule", "write_rule"]
