"""The script of docs/trainers/verl.md."""

from agentgym_gen.integrations.parquet import export_parquet

ENVS = ["rftgen/TextCraft-easy-v0", "rftgen/Sokoban-easy-v0"]
export_parquet(ENVS, 2000, "train.parquet", split="train")
export_parquet(ENVS, 200, "valid.parquet", split="valid")
