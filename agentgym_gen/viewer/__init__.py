"""Episodes in the browser: a list with filters, and conversations, alone or side by side.

What lives here: the episodes of every kind of folder as one record (`episodes`, `sources`), their
index in pieces (`view`), the page, and its two places, a static folder (`export`) and a server of
this machine (`serve`). What does not: pages of numbers, which are in `agentgym_gen.evaluation`,
`agentgym_gen.comparison` and `agentgym_gen.study.report`.
"""

from agentgym_gen.viewer.export import export_view
from agentgym_gen.viewer.serve import serve_view
from agentgym_gen.viewer.sources import open_sources
from agentgym_gen.viewer.view import View

__all__ = ["View", "export_view", "open_sources", "serve_view"]
