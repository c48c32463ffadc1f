"""The action mask of multi-turn episodes, checked token by token for every format and window."""

import pytest

from agentgym_gen import Registered, register
from agentgym_gen.agents.policy import ScriptedPolicy
from agentgym_gen.agents.prompt import PromptStyle, wrap_action
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.demos import Demonstrator
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny, build_tokenizer
from agentgym_gen.trainers.rft import RFTTrainer

ENV = "rftgen/Corridor-easy-v0"
ACTIONS = ("walk to door 2", "nonsense", "wait")
OBSERVATIONS = (
    "You are at door 1. Goal: to open door 2.",
    "You are at door 2.",
    "Nothing happens.",
)
FORGETFUL = (
    "{% for m in messages %}<|{{ m.role }}|>"
    "{% if m.role == 'assistant' and loop.index < messages|length - 1 %}-"
    "{% else %}{{ m.content }}{% endif %}"
    "{% if m.role == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def marked_sequences(style: PromptStyle) -> list[str]:
    """Return the sequences of a scripted episode as text, sampled tokens between brackets."""
    tokenizer = build_tokenizer([*OBSERVATIONS, *ACTIONS], 400)
    completions = [wrap_action(style, action) for action in ACTIONS]
    policy = Demonstrator(ScriptedPolicy(completions), tokenizer)
    episode = Episode(ENV, "corridor/easy/train/0", options={"max_turns": 3})
    (trajectory,) = run([episode], policy, style=style)
    assert [turn.observation for turn in trajectory.turns] == list(OBSERVATIONS)
    assert [turn.action for turn in trajectory.turns] == list(ACTIONS)
    sequences = []
    for sequence in trajectory.sequences():
        text, inside = "", False
        for token, acted in zip(sequence.ids, sequence.action_mask, strict=True):
            text += "[" * (acted and not inside) + "]" * (inside and not acted)
            text += tokenizer.decode([token])
            inside = acted
        sequences.append(text + "]" * inside)
    return sequences


def user(text: str) -> str:
    return f"<|user|>{text}<|assistant|>"


@pytest.mark.parametrize("style_name", ["action", "react", "tool"])
def test_a_growing_sequence_marks_every_answer_and_its_end(style_name: str) -> None:
    """No token of the observations or of the template is marked."""
    style = PromptStyle(style_name, instruction=False)
    completions = [wrap_action(style, action) for action in ACTIONS]

    assert marked_sequences(style) == [
        "".join(
            f"{user(observation)}[{text}<|end|>]"
            for observation, text in zip(OBSERVATIONS, completions, strict=True)
        )
    ]


@pytest.mark.parametrize("style_name", ["action", "react", "tool"])
def test_a_window_marks_the_last_answer_only(style_name: str) -> None:
    """Each turn is a sequence; an answer that it shows again was marked in its own."""
    style = PromptStyle(style_name, instruction=False, window=1, keep_first=False)
    first, second, third = (wrap_action(style, action) for action in ACTIONS)

    assert marked_sequences(style) == [
        f"{user(OBSERVATIONS[0])}[{first}<|end|>]",
        f"{user(OBSERVATIONS[0])}{first}<|end|>{user(OBSERVATIONS[1])}[{second}<|end|>]",
        f"{user(OBSERVATIONS[1])}{second}<|end|>{user(OBSERVATIONS[2])}[{third}<|end|>]",
    ]


def test_a_window_that_keeps_the_goal() -> None:
    """The first observation stands before the present one."""
    style = PromptStyle("action", instruction=False, window=0)

    assert (
        marked_sequences(style)[2]
        == f"{user(OBSERVATIONS[0] + chr(10) * 2 + OBSERVATIONS[2])}[wait<|end|>]"
    )


def test_a_template_that_rewrites_history_is_refused_before_anything_is_played() -> None:
    """The error gives the reason; with a window the template is accepted."""
    model, tokenizer = build_tiny([*OBSERVATIONS, *ACTIONS], size=TinySize(1, 16, 2, 300, 512))
    tokenizer.chat_template = FORGETFUL
    args = RFTConfig(lora_rank=0)
    style = PromptStyle("action", instruction=False)
    with pytest.raises(InvalidValueError, match="shows earlier messages differently"):
        RFTTrainer(model=model, tokenizer=tokenizer, envs=[ENV], args=args, style=style)
    RFTTrainer(
        model=model,
        tokenizer=tokenizer,
        envs=[ENV],
        args=args,
        style=PromptStyle("action", instruction=False, window=0),
    )
