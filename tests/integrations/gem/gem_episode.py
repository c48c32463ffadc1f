"""The script of docs/trainers/others.md."""

import gem

from agentgym_gen import env_ids
from agentgym_gen.integrations.gem import register

register(env_ids())
env = gem.make("rftgen/TextCraft-easy-v0", split="train")
observation, info = env.reset(seed=7)
observation, reward, terminated, truncated, info = env.step("Action:\ninventory")
