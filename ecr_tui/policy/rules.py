"""All findings for repository policies by id; checks (``lint``) report only a rule's id."""

from __future__ import annotations

from ecr_tui.policy import rules_access, rules_conditions, rules_form
from ecr_tui.policy.rule import ERROR, INFO, WARNING, Rule

__all__ = ["ERROR", "INFO", "RULES", "WARNING", "Rule"]

RULES = {rule.id: rule for rule in (*rules_form.TABLE, *rules_conditions.TABLE, *rules_access.TABLE)}
