"""From numbers to a report: one HTML page that stands alone, and the same as Markdown.

What lives here: the document model, the page and its style, and in ``sections/`` one module a
section. What does not: the numbers themselves (`agentgym_gen.study.analysis`).
"""
