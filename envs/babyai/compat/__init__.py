"""AgentGym's BabyAI with its faults, for ``compat="original"``.

What lives here: AgentGym's path search, its list of actions and its other faults, which the
environment's page in the documentation lists. What does not: AgentGym's texts
(`agentgym_gen.envs.babyai.wordings`) and BALROG's two faults, an article and the steps of actions
that change nothing, which `wordings.balrog` keeps.
"""
