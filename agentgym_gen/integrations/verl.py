"""An agent loop of verl, and the data set that it reads.

verl finds the loop by a file that ``actor_rollout_ref.rollout.agent.agent_loop_config_path`` names:

    - name: agentgym_gen
      _target_: agentgym_gen.integrations.verl.SessionAgentLoop
      reward: success
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from agentgym_gen.agents import Completion, PromptStyle, Session
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.integrations.parquet import export_parquet
from agentgym_gen.integrations.required import required
from agentgym_gen.integrations.rows import result_metrics, start_session
from agentgym_gen.world import EndReason

with required("verl", "--no-deps verl"):
    from verl.experimental.agent_loop.agent_loop import (
        AgentLoopBase,
        AgentLoopOutput,
        register,
    )
    from verl.utils.profiler import simple_timer

__all__ = ["SessionAgentLoop", "export_parquet"]


@register("agentgym_gen")
class SessionAgentLoop(AgentLoopBase):
    """Plays the episode that ``extra_info`` of a row names.

    Args:
        arguments: What verl gives to every loop.
        format: How a completion writes its action, as in `PromptStyle`.
        reward: ``success``, ``score`` or ``return``, as in `Session`.
        keywords: What verl gives to every loop.
    """

    def __init__(
        self, *arguments: Any, format: str = "react", reward: str = "success", **keywords: Any
    ) -> None:
        super().__init__(*arguments, **keywords)
        self._style, self._reward = PromptStyle(format), reward

    async def run(self, sampling_params: dict[str, Any], **row: Any) -> AgentLoopOutput:
        """Play an episode, and return its tokens with a mask that is 1 at the sampled ones.

        Raises:
            InvalidValueError: if the row names no episode, or its first prompt does not fit.
        """
        session = await self.loop.run_in_executor(None, self._start, row["extra_info"])
        messages: list[dict[str, Any]] = list(session.messages)
        ids = await self.ct_build_initial_tokens(messages)
        start, room = len(ids), self.rollout_config.response_length
        if start >= self.rollout_config.prompt_length:  # verl cuts off what is too long
            raise InvalidValueError(
                f"The first prompt of {session.env.task.id} has {start} tokens or more, and "
                f"`data.max_prompt_length` is {self.rollout_config.prompt_length}; raise it"
            )
        mask: list[int] = []
        logprobs: list[float] = []
        metrics: dict[str, Any] = {}
        request_id = uuid4().hex
        while not session.done and len(mask) < room:
            with simple_timer("generate_sequences", metrics):
                sampled = await self.server_manager.generate(
                    request_id=request_id, prompt_ids=ids, sampling_params=sampling_params
                )
            merged, mask, logprobs = await self.ct_merge_assistant_token(
                ids,
                sampled.token_ids,
                mask,
                logprobs if sampled.log_probs else None,
                assistant_logprobs=sampled.log_probs,
            )
            ids = merged.token_ids
            if len(mask) > room:  # the answer is cut off below, so it is not played
                break
            text = self.tokenizer.decode(sampled.token_ids, skip_special_tokens=True)
            truncated = sampled.token_ids[-1] != self.tokenizer.eos_token_id
            with simple_timer("tool_calls", metrics):
                reply = session.reply(Completion(text, truncated=truncated))
            if not reply.done:
                past = [*messages, {"role": "assistant", "content": text}]
                messages = [*past, reply.message]
                merged, mask, logprobs = await self.ct_merge_context_msg(
                    past, messages, ids, mask, logprobs or None
                )
                ids = merged.token_ids
        if not session.done:
            session.end(EndReason.CONTEXT_LIMIT)
        result = session.result()
        return AgentLoopOutput(
            prompt_ids=ids[:start],
            response_ids=ids[start:][:room],
            response_mask=mask[:room],
            response_logprobs=logprobs[:room] if logprobs else None,
            reward_score=result.reward,
            num_turns=2 * result.turns,
            metrics=metrics,
            extra_fields={"turn_scores": [], "tool_rewards": [], **result_metrics(result)},
        )

    def _start(self, row: dict[str, Any]) -> Session:
        return start_session(row, style=self._style, reward=self._reward)
