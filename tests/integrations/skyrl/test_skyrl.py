"""skyrl-gym plays the expert's episode through the adapter, as `run` does."""

from __future__ import annotations

import runpy
from pathlib import Path

import pyarrow.parquet
import pytest
import skyrl_gym
from expert_play import expert_play

from agentgym_gen import AgentGymGenError
from agentgym_gen.integrations.parquet import export_parquet

skyrl_gym.register("agentgym_gen", "agentgym_gen.integrations.skyrl:SessionEnv")


@pytest.mark.parametrize("interface", ["native", "symbols+json", "random"])
def test_an_episode_is_the_same(interface: str) -> None:
    """Observations, reward and metrics are those of the library's own rollout."""
    row, trajectory = expert_play(interface=interface)
    env = skyrl_gym.make("agentgym_gen", env_config={}, extras={"extra_info": row})
    messages, _ = env.init([{"role": "user", "content": "ignored"}])
    observations, rewards = [], []
    for turn in trajectory.turns:
        output = env.step(turn.completion.text)
        observations += [message["content"] for message in output["observations"]]
        rewards.append(output["reward"])

    assert messages[0]["content"].endswith(trajectory.turns[0].observation)
    assert observations == [turn.observation for turn in trajectory.turns[1:]]
    assert output["done"]
    assert sum(rewards) == env.get_metrics()["success"] == 1
    env.close()


def test_rows_of_the_parquet_file_are_episodes(tmp_path: Path) -> None:
    """Each names the class of the environment, and `extra_info` its episode."""
    path = export_parquet(
        ["rftgen/Sokoban-easy-v0"], 3, tmp_path / "train.parquet", interface="random"
    )
    for row in pyarrow.parquet.read_table(path).to_pylist():
        env = skyrl_gym.make(row["env_class"], env_config={"reward": "score"}, extras=row)
        messages, _ = env.init(row["prompt"])
        assert messages == env.session.start()


def test_a_row_without_a_task_is_refused() -> None:
    """In a sentence that says what is missing."""
    with pytest.raises(AgentGymGenError, match="task_id"):
        skyrl_gym.make("agentgym_gen", extras={"env_id": "rftgen/Sokoban-easy-v0"})


def test_the_script_of_the_docs_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a program of its own, in which nothing is registered yet."""
    monkeypatch.setattr("skyrl_gym.envs.registration.registry", {})
    runpy.run_path(str(Path(__file__).with_name("skyrl_episode.py")))
