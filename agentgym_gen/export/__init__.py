"""Files for the trainers of others: episodes of the experts as chat messages.

What lives here: `export_demos`, the rows that it writes and their formats. What does not: a data
set of tasks that a trainer plays itself (`agentgym_gen.integrations`).
"""

from agentgym_gen.export.demos import DemoPlan, demo_rows
from agentgym_gen.export.folder import FORMATS, ExportSummary, export_demos

__all__ = ["FORMATS", "DemoPlan", "ExportSummary", "demo_rows", "export_demos"]
