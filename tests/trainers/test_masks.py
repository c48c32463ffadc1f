"""The mask of a multi-turn episode, drawn position by position, for every format and window."""

import pytest

from agentgym_gen import Registered, register
from agentgym_gen.agents.policy import ScriptedPolicy
from agentgym_gen.agents.prompt import PromptStyle, read_action, wrap_action
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.demos import Demonstrator
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny, build_tokenizer
from agentgym_gen.trainers.rft import RFTTrainer

ENV = "rftgen/Corridor-easy-v0"
ACTIONS = ("walk to door 2", "nonsense", "wait")
SEEN = (
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


def drawn(style: PromptStyle) -> list[str]:
    """Return the sequences of a scripted episode as text, what was sampled between brackets."""
    tokenizer = build_tokenizer([*SEEN, *ACTIONS], 400)
    said = [wrap_action(style, action) for action in ACTIONS]
    policy = Demonstrator(ScriptedPolicy(said), tokenizer)
    episode = Episode(ENV, "corridor/easy/train/0", options={"max_turns": 3})
    (played,) = run([episode], policy, style=style)
    assert [turn.observation for turn in played.turns] == list(SEEN)
    assert [read_action(style, text) for text in said] == list(ACTIONS)
    sequences = []
    for sequence in played.sequences():
        text, inside = "", False
        for token, acted in zip(sequence.ids, sequence.action_mask, strict=True):
            text += "[" * (acted and not inside) + "]" * (inside and not acted)
            text += tokenizer.decode([token])
            inside = acted
        sequences.append(text + "]" * inside)
    return sequences


def user(text: str) -> str:
    return f"<|user|>{text}<|assistant|>"


@pytest.mark.parametrize("form", ["action", "react", "tool"])
def test_a_growing_sequence_marks_every_answer_and_its_end(form: str) -> None:
    """Nothing of the observations, nothing of the template."""
    style = PromptStyle(form, instruction=False)
    said = [wrap_action(style, action) for action in ACTIONS]

    assert drawn(style) == [
        "".join(f"{user(seen)}[{text}<|end|>]" for seen, text in zip(SEEN, said, strict=True))
    ]


@pytest.mark.parametrize("form", ["action", "react", "tool"])
def test_a_window_marks_the_last_answer_only(form: str) -> None:
    """Each turn is a sequence; the answer it shows again was learnt in its own."""
    style = PromptStyle(form, instruction=False, window=1, keep_first=False)
    one, two, three = (wrap_action(style, action) for action in ACTIONS)

    assert drawn(style) == [
        f"{user(SEEN[0])}[{one}<|end|>]",
        f"{user(SEEN[0])}{one}<|end|>{user(SEEN[1])}[{two}<|end|>]",
        f"{user(SEEN[1])}{two}<|end|>{user(SEEN[2])}[{three}<|end|>]",
    ]


def test_a_window_that_keeps_the_goal() -> None:
    """The first observation stands before the present one."""
    style = PromptStyle("action", instruction=False, window=0)

    assert drawn(style)[2] == f"{user(SEEN[0] + chr(10) * 2 + SEEN[2])}[wait<|end|>]"


def test_a_template_that_rewrites_history_is_refused_before_anything_is_played() -> None:
    """With the reason; with a window it is accepted."""
    model, tokenizer = build_tiny([*SEEN, *ACTIONS], size=TinySize(1, 16, 2, 300, 512))
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
