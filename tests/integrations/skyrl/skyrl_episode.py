"""The script of docs/trainers/others.md."""

import skyrl_gym

from agentgym_gen import task_rows

skyrl_gym.register("agentgym_gen", "agentgym_gen.integrations.skyrl:SessionEnv")
row = task_rows(["rftgen/TextCraft-easy-v0"], 1)[0]
env = skyrl_gym.make("agentgym_gen", env_config={"reward": "score"}, extras={"extra_info": row})
messages, _ = env.init([])
output = env.step("Thought:\nI look.\n\nAction:\ninventory")
print(messages[0]["content"], output["observations"], env.get_metrics())
