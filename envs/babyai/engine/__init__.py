"""What imports minigrid: a game without pictures, and the bot.

What lives here: minigrid's levels as games (`game`), minigrid's bot (`bot`), and the function that
loads both when a world is made (`backend`). What does not: what a player sees
(`agentgym_gen.envs.babyai.view`), and all texts. No module imports `game` or `bot` by a statement,
so that the package can be imported without minigrid.
"""
