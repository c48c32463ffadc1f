"""What the player reads: admissible commands, observations and reasons of invalid actions.

The native words are in `wording`; the rules, which know no words, are in `game`.
"""
