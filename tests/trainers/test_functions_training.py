"""Functions as actions in the trainer: demonstrations, sampling, and a training step."""

from __future__ import annotations

from agentgym_gen import PromptStyle, run
from agentgym_gen.agents import Episode
from agentgym_gen.agents.completions.calls import read_call
from agentgym_gen.trainers.config import RFTConfig, SFTConfig
from agentgym_gen.trainers.demos import demonstrations, expert_texts
from agentgym_gen.trainers.models.chat import ChatFormat
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
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
