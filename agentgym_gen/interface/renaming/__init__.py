"""New names of things: nouns of a world become pseudo-words, and back.

What lives here: finding nouns and their plurals in texts, sampling pseudo-words, and the bijection
of one episode. What does not: new words for verbs (`agentgym_gen.interface.wording`).
"""
