"""The hash of a prompt changes with its text: one without the other is an error."""

from __future__ import annotations

import hashlib
import json

import pytest

from agentgym_gen import PromptStyle, Session
from agentgym_gen.evaluation import EvalSettings
from agentgym_gen.evaluation.shots import Demonstrations

STYLES = {
    "react": PromptStyle(),
    "action": PromptStyle("action"),
    "tool": PromptStyle("tool"),
    "functions": PromptStyle("functions"),
    "function_calling": PromptStyle("function_calling"),
    "system": PromptStyle("action", system="You are careful."),
}

GOLDEN = {
    ("react", 0): ("eed51425a90d", "7d6025a8e2ec"),
    ("react", 2): ("d0cf098c52fd", "bfc3064eb7cf"),
    ("action", 0): ("78b4361b13b7", "9606dad3d671"),
    ("action", 2): ("bab6a662d9bf", "7318718c13c4"),
    ("tool", 0): ("31c76b1a7cae", "8839141d9fb6"),
    ("tool", 2): ("cbadfda3bc18", "630fb078a519"),
    ("functions", 0): ("5b00977b5054", "34f0a8898829"),
    ("functions", 2): ("86aeedcb703c", "2fdc7eac1828"),
    ("function_calling", 0): ("e987f64a00eb", "58d7e6bcfcad"),
    ("function_calling", 2): ("c9fdc695d519", "d7e7f8f5bcb7"),
    ("system", 0): ("dafb1a154e01", "1139aea4e6ae"),
    ("system", 2): ("febb2c6cf675", "195d3106b2ba"),
}
"""By style and shots: the hash of the prompt, and that of the messages of a fixed task."""


@pytest.mark.parametrize(("name", "shots"), [(name, shots) for name in STYLES for shots in (0, 2)])
def test_the_hash_of_a_prompt_stands_for_its_text(name: str, shots: int) -> None:
    """Where a text changes on purpose, `RULES` or `SHOTS_REVISION` change the hash with it."""
    style = STYLES[name]
    session = Session("rftgen/Sokoban-easy-v0", "sokoban/easy/test/1", style=style)
    session.start()
    shown = Demonstrations(shots).messages(session.env, style) if shots else ()
    text = json.dumps([*shown, *session.messages, session.env.functions.schemas])
    pair = (
        EvalSettings(style=style, shots=shots).prompt_hash,
        hashlib.sha256(text.encode()).hexdigest()[:12],
    )

    assert pair == GOLDEN[name, shots], pair
