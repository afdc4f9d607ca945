"""Which records are the same account, person, opportunity, campaign, activity or user.

Pure functions from Arrow to Arrow (normal forms, matching, components) and one place that runs them over the models
file (`resolve`). It reads canonical tables only, never a vendor's, and it never calls the clock.
"""

from orchestration.identity.resolve import Summary, clear_changed, content_of, ensure_tables, resolve

__all__ = ["Summary", "clear_changed", "content_of", "ensure_tables", "resolve"]
