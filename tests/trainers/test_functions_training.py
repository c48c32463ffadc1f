"""Functions as actions in the trainer: demonstrations, sampling, and a training step."""

from __future__ import annotations

import json
from types import SimpleNamespace

from agentgym_gen import PromptStyle, Session, run
from agentgym_gen.agents import Episode
from agentgym_gen.agents.completions.calls import read_call
from agentgym_gen.integrations.trl import rollout_func
from agentgym_gen.trainers.config import RFTConfig, SFTConfig
from agentgym_gen.trainers.demos import demonstrations, expert_texts
from agentgym_gen.trainers.models.chat import ChatFormat, settings_of
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.models.types import Tokenizer
from agentgym_gen.trainers.rft import RFTTrainer
from agentgym_gen.trainers.sampling.model_policy import ModelPolicy
from agentgym_gen.trainers.sft import SFTTrainer

ENV = "rftgen/Sokoban-easy-v0"
STYLE = PromptStyle("functions", window=0, reader="lenient")
TOOL = {"type": "function", "function": {"name": "Up", "parameters": {}}}
WITH_TOOLS = (
    "{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}<|{{ m.role }}|>"
    "{{ m.content }}{% for c in m.tool_calls %}<tool_call>\n{{ c.function | tojson }}\n</tool_call>"
    "{% endfor %}{% if m.role == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def test_demonstrations_are_calls_that_a_model_learns() -> None:
    """Each answer of the expert is a call in the template's form, and the model learns them."""
    texts = expert_texts([ENV], STYLE, number=4)
    model, tokenizer = build_tiny(texts, size=TinySize(1, 32, 2, 400, 4096))
    tokenizer.chat_template = WITH_TOOLS
    examples = demonstrations([ENV], tokenizer, STYLE, number=4)
    turns = [turn for episode in examples for turn in episode.turns]
    chat = ChatFormat(tokenizer)

    assert len(examples) == 4
    assert all(read_call(turn.completion.text) for turn in turns)
    answers = [tokenizer.decode(list(turn.completion.action_ids)) for turn in turns]
    assert all(answer.startswith("<tool_call>\n{") for answer in answers)
    assert [chat.text(turn.completion.action_ids, (TOOL,)) for turn in turns] == [
        turn.completion.text for turn in turns
    ]
    args = SFTConfig(lora_rank=0, max_steps=8, batch_size=4, learning_rate=3e-3)
    log = SFTTrainer(model, tokenizer, args, examples).train()
    assert log[-1]["loss"] < log[0]["loss"] - 1
    policy = ModelPolicy(model, tokenizer, max_new_tokens=4)
    episodes = [Episode(ENV, f"sokoban/easy/train/{n}", options={"max_turns": 2}) for n in (1, 2)]
    assert all(len(played.turns) == 2 for played in run(episodes, policy, style=STYLE))


def test_a_training_takes_functions_in_every_window() -> None:
    """A step of training samples calls, or what the untrained model says, and scores it."""
    texts = expert_texts([ENV], STYLE, number=4)
    for window in (None, 1):
        model, tokenizer = build_tiny(texts, size=TinySize(1, 32, 2, 400, 4096))
        for template in (tokenizer.chat_template, WITH_TOOLS):
            tokenizer.chat_template = template
            trainer = RFTTrainer(
                model=model,
                tokenizer=tokenizer,
                envs=[ENV],
                args=RFTConfig(
                    lora_rank=0,
                    max_steps=1,
                    tasks_per_step=1,
                    num_generations=2,
                    max_new_tokens=8,
                    save_steps=0,
                ),
                style=PromptStyle("functions", window=window),
                options={"max_turns": 2},
            )
            (row,) = trainer.train()

            assert row["step"] == 1


def test_a_template_without_functions_describes_them_in_the_first_message() -> None:
    """The model reads the names and the arguments, and how a call is written."""
    _, tokenizer = build_tiny(["Up"], size=TinySize(1, 16, 2, 300, 512))
    (first, *_) = demonstrations([ENV], tokenizer, STYLE, number=1)
    text = tokenizer.decode(list(first.turns[0].completion.context_ids))

    assert text.startswith('<|user|>You have these functions:\n{"name": "Up"')
    assert "<tool_call>" in text
    assert ChatFormat(tokenizer).check_appends(PromptStyle("functions"))


class FakeTRL:
    """What a rollout of TRL uses of its trainer, with a model that always answers the same."""

    max_completion_length, use_vllm = 4096, False

    def __init__(self, tokenizer: Tokenizer, answer: str) -> None:
        self.processing_class, self._answer = tokenizer, tokenizer.encode(answer)
        config = SimpleNamespace(max_position_embeddings=8192)
        config.get_text_config = lambda: config
        self.model, self.args = SimpleNamespace(config=config), SimpleNamespace()

    def _generate_single_turn(
        self, contexts: list[list[int]], *_: object, **__: object
    ) -> tuple[list[list[int]], None]:
        return [self._answer for _ in contexts], None


def test_an_agent_of_trl_reads_functions_and_variables_of_the_template() -> None:
    """Its tokens are those that our own trainer makes of the same chat."""
    style = PromptStyle("functions", chat_template_kwargs={"mood": "calm"})
    _, tokenizer = build_tiny(expert_texts([ENV], style, number=2), size=TinySize(1, 16, 2, 400))
    tokenizer.chat_template = "{{ mood }}" + WITH_TOOLS
    row = {"env_id": ENV, "task_id": "sokoban/easy/train/3"}
    prompt = [{"role": "user", "content": "", "task": json.dumps(row)}]
    call = '<tool_call>\n{"name": "Up", "arguments": {}}\n</tool_call><|end|>'
    played = rollout_func(style=style)([prompt], FakeTRL(tokenizer, call))
    session = Session(row["env_id"], row["task_id"], style=style)
    opening = ChatFormat(tokenizer).opening(session.start(), session.tools, settings_of(style))

    assert tokenizer.decode(opening).startswith("calm[{")
    assert played["prompt_ids"] == [opening]
    assert tokenizer.decode(played["completion_ids"][0]).startswith(f"{call}<|tool|>")
