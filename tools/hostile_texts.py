"""What models really write where an action is expected, generated without end for tests.

Each text is an entry of a corpus or a text of the environment itself, with a few of the distortions
that models add: Markdown, half a JSON object, a second action, an echo of the prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

MAX_CHARS = 120_000
"""The length at which texts are cut."""

CORPUS = (
    "",
    " ",
    "\n\n\t",
    "1",
    "-1",
    "1.5",
    "99999999999999999999",
    "null",
    "{}",
    "[]",
    '{"action": "go to", "arguments": {"place": "desk 1"}}',
    '{"action": "search", "arguments": ["x"]}',
    '{"name": "act", "arguments": {"action": "look"}}',
    '{"action": {"action": "look"}}',
    "{'action': 'look'}",
    '{"action": "look", "action": "inventory", "arguments": {}}',
    '{"action": "',
    "go to desk 1",
    "GO TO DESK 1",
    "go to the desk",
    "take mug 1 from desk 1 and then go to shelf 1",
    "put mug 1 in/on desk 1",
    "get 1 oak log",
    "get -1 oak log",
    "get 1e9 oak log",
    "get \u0661 oak log",
    "craft 4 oak planks using 1 oak log",
    "craft using",
    "inventory",
    "look; look",
    "look. look",
    "look\nlook",
    "up",
    "Right || Up",
    "\\boxed{up}",
    "<action>up</action>",
    "<action>go to desk 1</action><action>up</action>",
    '```json\n{"action": "look",\n```',
    '{"thought": "I see", "action": "up"',
    '[{"action": "look"}, {"action": "inventory"}]',
    '{"action": NaN, "arguments": [Infinity]}',
    "## Plan\n1. **look**\n2. *take* `mug 1`\n\n> go to desk 1",
    "| action |\n| --- |\n| look |",
    "<function=act><parameter=action>look</parameter></function>",
    '<|tool_call_begin|>functions.act:0<|tool_call_argument_begin|>{"action": "look"}',
    '[TOOL_CALLS][{"name": "act", "arguments": {}}]',
    "<|python_tag|>act.call(action='look')",
    "Observation: You see a mug 1.\nAction: take mug 1",
    "User: what now?\nAssistant: look",
    "Let me think step by step. " * 200,
    "e\u0301\u0327" * 300,
    "look\x00inventory",
    "search[red shoes]",
    "search[]",
    "search[[red] shoes]",
    "click[buy now]",
    "click[Buy Now",
    "<search>capital of France</search>",
    "<search><answer>Paris</answer></search>",
    "<answer></answer>",
    "<answer>Paris</answer><answer>London</answer>",
    "<information>Doc 1</information>",
    "turn left",
    "pickup red ball 1",
    "toggle and go through closed door 99",
    "save",
    "restore",
    "quit",
    "y",
    "undo",
    "again",
    "tw-print",
    "I'm sorry, but I can't help with that.",
    "As an AI language model, I will now look around the room.",
    "Thought: I should look around.\nAction: look",
    "Action: look\nAction: inventory",
    "Action:",
    "THOUGHT: done\nACTION: done",
    "<think>let me think</think> look",
    '<tool_call>\n{"name": "act", "arguments": {"action": "look"}}\n</tool_call>',
    "<|im_end|>",
    "</s><s>[INST]",
    "The task is completed.",
    "You win! Score: 1.0",
    "{0} %s %d {place} {} {{",
    "__import__('os').system('true')",
    "$(reboot) `reboot` ; rm -rf /",
    "../../../etc/passwd",
    "' OR 1=1 --",
    "\x00",
    "\x1b[2J\x07\x08",
    "\ud800",
    "\u202egnihtemos",
    "\U0001f600\u00e9\u6f22\u5b57",
    "\u0130\u0131\u1e9e\ufb03",
    "\u2028\u2029\x85",
    "(" * 2000,
    "[" * 2000,
    "{" * 2000,
    "a " * 3000,
    "\\" * 500,
    '"' * 500,
    "x" * 8193,
    "x" * 100_000,
    '{"action": ' * 3000,
)
"""Texts that models have written, or that have broken a parser."""

WRAPPINGS = (
    "```json\n@\n```",
    "`@`",
    "**@**",
    "Action: @",
    "Thought:\nI act.\n\nAction:\n@",
    "@\n@",
    "  @  .",
    '"@"',
    '{"action": "@", "arguments": {}}',
    '{"name": "act", "arguments": {"action": "@"}',
    "<think>@</think>",
    "<action>@</action>",
    "@ @ @",
)
"""What models put around an action, for which ``@`` stands."""

REWRITINGS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.title,
    lambda text: text.replace(" ", "_"),
    lambda text: text.replace(" ", "\u00a0"),
    lambda text: text.replace("o", "\u043e"),
    lambda text: text[::-1],
)
"""How models and their parsers change a whole action."""


def _wrap(text: str, rng: np.random.Generator) -> str:
    return WRAPPINGS[int(rng.integers(len(WRAPPINGS)))].replace("@", text)


def _rewrite(text: str, rng: np.random.Generator) -> str:
    return REWRITINGS[int(rng.integers(len(REWRITINGS)))](text)


def _cut(text: str, rng: np.random.Generator) -> str:
    return text[: int(rng.integers(len(text) + 1))]


def _replace_letter(text: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(len(text) + 1))
    return text[:place] + chr(int(rng.integers(1, 0xD7FF))) + text[place + 1 :]


def _shuffle_words(text: str, rng: np.random.Generator) -> str:
    words = text.split()
    return " ".join(words[i] for i in rng.permutation(len(words)))


DISTORTIONS = (_wrap, _rewrite, _cut, _replace_letter, _shuffle_words)


def hostile_texts(rng: np.random.Generator, shown: Sequence[str]) -> Iterator[str]:
    """Yield texts without end.

    Args:
        rng: The generator that decides which.
        shown: What the environment has shown or listed, to be echoed; read anew for every text.
    """
    while True:
        is_echo = shown and rng.random() < 0.5
        pool = shown if is_echo else CORPUS
        text = pool[int(rng.integers(len(pool)))]
        for _ in range(int(rng.integers(3))):
            text = DISTORTIONS[int(rng.integers(len(DISTORTIONS)))](text, rng)
        yield text[:MAX_CHARS]
