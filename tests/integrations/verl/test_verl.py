"""verl's agent loop with a server that plays as the expert: the mask is exact."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import tiny_tool_model
from expert_play import expert_play
from omegaconf import OmegaConf
from transformers import AutoTokenizer
from verl.experimental.agent_loop.agent_loop import AgentLoopOutput, DictConfigWrap
from verl.workers.rollout.replica import TokenOutput

from agentgym_gen import Trajectory
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.integrations.verl import SessionAgentLoop, export_parquet

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content }}"
    "{{ '<|im_end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a tokenizer whose chats only grow."""
    folder = tmp_path_factory.mktemp("model")
    tiny_tool_model.save(folder, TEMPLATE, "react", steps=0)
    return AutoTokenizer.from_pretrained(folder)


class ExpertServer:
    """Answers like verl's server: the expert's completions as tokens."""

    def __init__(self, tokenizer: Any, trajectory: Trajectory) -> None:
        self.tokenizer, self.trajectory = tokenizer, trajectory
        self.prompts: list[list[int]] = []

    async def generate(
        self, request_id: str, prompt_ids: list[int], sampling_params: dict[str, Any]
    ) -> TokenOutput:
        """Return the next completion."""
        text = self.trajectory.turns[len(self.prompts)].completion.text
        self.prompts.append(list(prompt_ids))
        ids = self.tokenizer.encode(text + "<|im_end|>", add_special_tokens=False)
        return TokenOutput(token_ids=ids, log_probs=[-0.5] * len(ids))


def play(server: ExpertServer, row: dict[str, Any], **lengths: int) -> AgentLoopOutput:
    """Run the loop on *row*."""
    rollout = {"prompt_length": 8192, "response_length": 8192, **lengths}
    config = DictConfigWrap(OmegaConf.create({"actor_rollout_ref": {"rollout": rollout}}))

    async def main() -> AgentLoopOutput:
        data = DictConfigWrap(OmegaConf.create({}))
        loop = SessionAgentLoop(config, server, server.tokenizer, None, None, data)
        return await loop.run({"temperature": 1.0}, raw_prompt=[], extra_info=row)

    return asyncio.run(main())


@pytest.mark.parametrize("interface", ["native", "random"])
def test_the_mask_is_exact(tokenizer: Any, interface: str) -> None:
    """Prompt, completions and observations are the chat, and the mask is 1 at completions only."""
    row, trajectory = expert_play(interface=interface)
    server = ExpertServer(tokenizer, trajectory)
    output = play(server, row)
    expected: list[int] = []
    mask: list[int] = []
    for turn, after in zip(trajectory.turns, [*trajectory.turns[1:], None], strict=True):
        answer = tokenizer.encode(turn.completion.text + "<|im_end|>", add_special_tokens=False)
        between = (
            ""
            if after is None
            else (f"<|im_start|>user\n{after.observation}<|im_end|><|im_start|>assistant\n")
        )
        context = tokenizer.encode(between, add_special_tokens=False)
        expected += answer + context
        mask += [1] * len(answer) + [0] * len(context)

    assert tokenizer.decode(output.response_ids) == tokenizer.decode(expected)
    assert output.response_mask == mask
    assert len(output.response_logprobs) == len(mask)
    assert all(
        (value == -0.5) == bool(m) for value, m in zip(output.response_logprobs, mask, strict=True)
    )
    assert output.reward_score == output.extra_fields["success"] == 1
    assert output.num_turns == 2 * len(trajectory.turns)
    assert (
        server.prompts[-1] == (output.prompt_ids + output.response_ids)[: len(server.prompts[-1])]
    )


def test_a_response_that_is_full_ends_the_episode(tokenizer: Any) -> None:
    """An answer that is cut off is not played, and nothing is longer than the limit."""
    row, trajectory = expert_play()
    output = play(ExpertServer(tokenizer, trajectory), row, response_length=40)

    assert len(output.response_ids) == len(output.response_mask) == 40
    assert output.reward_score == 0
    with pytest.raises(InvalidValueError, match="max_prompt_length"):
        play(ExpertServer(tokenizer, trajectory), row, prompt_length=50)


def test_the_parquet_file_has_the_rows_of_the_loop(tmp_path: Path, tokenizer: Any) -> None:
    """Each row names the loop, and `extra_info` its episode."""
    row, _ = expert_play(interface="random")
    path = export_parquet(
        ["rftgen/TextCraft-easy-v0"], 2, tmp_path / "a.parquet", interface="random", split="test"
    )
    read = pyarrow.parquet.read_table(path).to_pylist()

    assert len(read) == 2
    assert read[0]["agent_name"] == "agentgym_gen"
    assert {**row, "split": "test"}.keys() <= read[0]["extra_info"].keys()
