"""What a study is: the plan, how a TOML file becomes one, and the presets.

What lives here: plans as plain data, the parser that names a mistake by line and key, the arm
families, and the presets. What does not: anything that runs, reads results or imports torch.
"""
