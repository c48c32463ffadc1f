"""The script of docs/trainers/others.md."""

import asyncio

from agentgym_gen import task_rows
from agentgym_gen.integrations.tinker import make_group

row = task_rows(["rftgen/Sokoban-easy-v0"], 1)[0]
group = make_group(row, 8, reward="score")


async def main():
    first = await group[0].initial_observation()
    return await group[0].step({"role": "assistant", "content": "Action:\nup"}), first


print(asyncio.run(main()))
