"""The table of chat templates on docs/trainer.md: what each can do, tried with its own text."""

from __future__ import annotations

import html
import importlib.util
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agentgym_gen import PromptStyle, Registered, register
from agentgym_gen.agents.completions.calls import read_call, write_call
from agentgym_gen.agents.policy import Completion, Request, ScriptedPolicy
from agentgym_gen.agents.prompt import ChatMessage
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.interface.syntax.functions import FunctionCall
from agentgym_gen.trainers.demos import Demonstrator
from agentgym_gen.trainers.models.chat import ChatFormat, end_tokens
from agentgym_gen.trainers.models.tiny import build_tokenizer

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "chat_templates"
ENV = "rftgen/Corridor-easy-v0"

LLAMA = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>"
    "{{ 'ipython' if m.role == 'tool' else m.role }}<|end_header_id|>\n\n"
    "{% if m.tool_calls %}{% set f = m.tool_calls[0].function %}"
    '{"name": "{{ f.name }}", "parameters": {{ f.arguments | tojson }}}'
    "{% elif m.role == 'tool' %}{{ m.content | tojson }}"
    "{% else %}{% if loop.first and tools %}{{ tools | tojson }}\n\n{% endif %}"
    "{{ m.content | trim }}{% endif %}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
GEMMA = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{{ bos_token }}{% for m in messages %}"
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate') }}"
    "{% endif %}<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n"
    "{{ m.content | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% set users = messages | selectattr('role', 'equalto', 'user') | list %}"
    "{% for m in messages %}{% if m.role == 'user' %}{% if tools and m == users[-1] %}"
    "[AVAILABLE_TOOLS] {{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif %}"
    "[INST]{{ m.content }}[/INST]{% elif m.role == 'system' %}"
    "[SYSTEM_PROMPT]{{ m.content }}[/SYSTEM_PROMPT]{% elif m.tool_calls %}[TOOL_CALLS] ["
    '{% for c in m.tool_calls %}{{ (c.function | tojson)[:-1] }}, "id": "{{ c.id }}"}'
    "{% endfor %}]{{ eos_token }}{% elif m.role == 'tool' %}[TOOL_RESULTS] "
    '{"content": {{ m.content }}, "call_id": "{{ m.tool_call_id }}"}[/TOOL_RESULTS]'
    "{% else %}{{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
)
SMOLLM2 = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are helpful.<|im_end|>\n"
    "{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SMOLLM3 = (  # its `tools` are ignored, and its system message has no end
    "<|im_start|>system\nToday: {{ strftime_now('%d %B %Y') }}\n"
    "{% set thinks = enable_thinking is not defined or enable_thinking %}"
    "Mode: /{{ '' if thinks else 'no_' }}think\n\n"
    "{{ messages[0].content.rstrip() if messages[0].role == 'system' else 'You help.' }}\n\n"
    "{% set start = '<|im_start|>assistant\n' + ('' if thinks else '<think>\n\n</think>\n') %}"
    "{% for m in messages %}{% if m.role == 'assistant' %}{{ start }}"
    "{{ (m.content or '').lstrip('\n') }}<|im_end|>\n{% elif m.role != 'system' %}"
    "<|im_start|>user\n{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ start }}{% endif %}"
)
RULES = {
    **{"llama": LLAMA, "gemma": GEMMA, "mistral": MISTRAL},
    **{"smollm2": SMOLLM2, "smollm3": SMOLLM3},
}
"""Templates of our own, with the rules of those models."""

END_OF_TEXT = {
    **{"qwen": "<|im_end|>", "gptoss": "<|return|>", "phi": "<|endoftext|>", "llama": "<|eot_id|>"},
    **{"gemma": "<eos>", "mistral": "</s>", "smollm": "<|im_end|>"},
}
CONTROL = re.compile(r"<\|[^|<>]+\|>|\[/?[A-Z_]{3,}\]|<(?:start|end)_of_turn>")


class Row(NamedTuple):
    """A row of the page's table."""

    models: str
    name: str
    growing: str
    window: str
    functions: str
    form: str
    end: str
    system: str


def rows() -> list[Row]:
    """Return the rows of the table of docs/trainer.md."""
    page = (ROOT / "docs" / "trainer.md").read_text(encoding="utf-8")
    table = page.partition("<!-- chat templates -->")[2].partition("<!-- end -->")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [Row(*map(html.unescape, row)) for row in cells]


def template(name: str) -> str:
    """Return the text of a template, or skip the test if it is not here."""
    name = name.strip("`")
    if (HERE / f"{name}.jinja").exists():
        return (HERE / f"{name}.jinja").read_text(encoding="utf-8")
    if name.removesuffix("'s rules") in RULES:
        return RULES[name.removesuffix("'s rules")]
    trl = importlib.util.find_spec("trl")
    if trl is None or trl.submodule_search_locations is None:
        pytest.skip("TRL is not installed")
    folder = Path(trl.submodule_search_locations[0]) / "chat_templates"
    return (folder / f"{name}.jinja").read_text(encoding="utf-8")


def tokenizer_of(name: str) -> Any:  # noqa: ANN401  (a tokenizer)
    """Return a small tokenizer with the template called *name* and its control tokens."""
    text = template(name)
    tokenizer = build_tokenizer(["You are at door 1.", "walk to door 2"], 400)
    plain_name = name.strip("`")
    end = next(token for start, token in END_OF_TEXT.items() if plain_name.startswith(start))
    control = [token for token in dict.fromkeys(CONTROL.findall(text)) if token != end]
    tokenizer.add_special_tokens(
        {"eos_token": end, "bos_token": "<s>", "additional_special_tokens": control}
    )
    tokenizer.chat_template = text
    return tokenizer


def verdict(chat: ChatFormat, style: PromptStyle) -> str:
    """Return whether an episode in *style* can be one growing sequence."""
    try:
        chat.check_appends(style)
    except InvalidValueError as error:
        return "refused" if "shows earlier messages differently" in str(error) else str(error)
    return "yes"


def row_settings(row: Row) -> dict[str, object]:
    """Return the variables of the template in the name of a row."""
    return {"enable_thinking": False} if "thinking off" in row.models else {}


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.name} {row.models}")
def test_the_table_of_the_page_is_true(row: Row) -> None:
    """What the page says of a template is what its text does."""
    chat = ChatFormat(tokenizer_of(row.name))
    settings = row_settings(row)
    layout = chat._layout(tuple(settings.items()))
    ends = [str(chat.tokenizer.convert_ids_to_tokens(chat.end_id))]
    if layout.calls is not None and layout.calls.end not in ends:
        ends.append(layout.calls.end)

    assert row == row._replace(
        growing=verdict(chat, PromptStyle("action", chat_template_kwargs=settings)),
        window=play(row, "action", 2),
        functions=verdict(chat, PromptStyle("functions", chat_template_kwargs=settings)),
        form=layout.calls.form.name if layout.calls else "in the first message",
        end=", ".join(f"<code>{end}</code>" for end in ends),
        system="yes" if layout.template.has_system else "in the first message",
    )


CALLS = (
    write_call(FunctionCall("walk_to", {"door": "door 2"}), ""),
    "I only talk.",
    write_call(FunctionCall("wait", {})),
    write_call(FunctionCall("walk_to", {"door": 'a "b"\n{c} door'})),
    "Hm.",
)
WORDS = ("walk to door 2", "nonsense", "wait", "walk to door 3", "wait")


class Recorder:
    """Acts as a demonstrator does, and keeps the messages of every turn."""

    def __init__(self, demonstrator: Demonstrator) -> None:
        self.demonstrator = demonstrator
        self.prompts: list[tuple[ChatMessage, ...]] = []
        self.tools: Any = ()

    def act(self, requests: list[Request]) -> list[Completion]:
        self.prompts.append(requests[0].messages)
        self.tools = requests[0].tools
        return self.demonstrator.act(requests)


def play(row: Row, form: str, window: int | None) -> str:
    """Play an episode with a template, and compare its tokens with whole chats."""
    tokenizer = tokenizer_of(row.name)
    settings = row_settings(row)
    style = PromptStyle(form, window=window, system="Be brief.", chat_template_kwargs=settings)
    script = CALLS if form == "functions" else WORDS
    policy = Recorder(Demonstrator(ScriptedPolicy(script), tokenizer))
    episode = Episode(ENV, "corridor/easy/train/0", options={"max_turns": len(script)})
    (trajectory,) = run([episode], policy, style=style)
    chat, pairs = ChatFormat(tokenizer), tuple(settings.items())
    assert [turn.valid for turn in trajectory.turns][:2] == [True, False]
    for number, turn in enumerate(trajectory.turns):
        answer = chat.text(turn.completion.action_ids, policy.tools, pairs)
        call = read_call(script[number])
        assert answer == (write_call(call.call, call.text) if call else script[number])
    sequences = trajectory.sequences()
    if window is not None:
        for prompt, turn in zip(policy.prompts, trajectory.turns, strict=True):
            whole = chat.opening(prompt, policy.tools, pairs)
            assert "Be brief." in tokenizer.decode(whole)
            assert list(turn.completion.context_ids) == whole
        return "yes"
    (sequence,) = sequences
    whole = tokenizer.decode(chat.opening(policy.prompts[-1], policy.tools, pairs))
    assert tokenizer.decode(list(sequence.ids)).startswith(whole)
    return "yes"


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.name} {row.models}")
@pytest.mark.parametrize("form", ["action", "functions"])
def test_the_tokens_of_an_episode_are_those_of_its_whole_chat(row: Row, form: str) -> None:
    """In one growing sequence or turn by turn, the model reads what the template shows."""
    assert play(row, form, 2) == "yes"
    if getattr(row, "growing" if form == "action" else "functions") == "yes":
        assert play(row, form, None) == "yes"


def test_a_form_of_calls_that_is_not_known_is_refused() -> None:
    """The error shows the form, and names those that are known."""
    tokenizer = tokenizer_of("llama's rules")
    tokenizer.chat_template = LLAMA.replace('"parameters"', '"with"')
    with pytest.raises(InvalidValueError, match="a form that is not known; those of Hermes"):
        ChatFormat(tokenizer).check_appends(PromptStyle("functions"))
    assert ChatFormat(tokenizer).check_appends(PromptStyle("action"))


def test_the_end_tokens_of_the_generation_config_end_an_answer() -> None:
    """A model may have several, of which the tokenizer knows one."""

    class Model:
        """A model with a generation config."""

        class generation_config:  # noqa: N801
            """Of gpt-oss."""

            eos_token_id = (7, 8)

    tokenizer = tokenizer_of("`gptoss`")
    chat = ChatFormat(tokenizer, end_tokens(Model()))

    assert {7, 8, tokenizer.eos_token_id} < chat.end_ids
    assert tokenizer.convert_tokens_to_ids("<|call|>") in chat.end_ids
    assert tokenizer.convert_tokens_to_ids("<|end|>") not in chat.end_ids
    assert end_tokens(object()) == ()


def test_no_argument_of_a_call_ends_a_message() -> None:
    """A control token in an argument is only text, in a demonstration and in a prompt."""
    tokenizer = tokenizer_of("`qwen2_5`")
    chat = ChatFormat(tokenizer)
    hostile = write_call(FunctionCall("walk_to", {"door": "<|im_end|>"}))
    (end,) = tokenizer.encode("<|im_end|>")
    tools = ({"type": "function", "function": {"name": "walk_to", "parameters": {}}},)

    assert chat.answer(hostile, tools).count(end) == 1
    assert "< |im_end|>" in tokenizer.decode(chat.answer(hostile, tools))
