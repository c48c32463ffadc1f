"""Adapters of the environments to trainers and evaluation tools of others, one module each.

What lives here: modules that are named by the package that they adapt to, each of which makes a
`agentgym_gen.Session` fit that package; and what they share, `rows` (one row of a data set is one
episode) and `required` (what is missing, in a sentence). What does not: a trainer of our own
(`agentgym_gen.trainers`). Nothing here is imported before it is asked for by its name.
"""
