"""Chat templates with rules of their own: where answers end, what they show, what they trim."""

import pytest

from agentgym_gen.agents.prompt import ChatMessage
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.models.chat import ChatFormat
from agentgym_gen.trainers.models.tiny import TEMPLATE, build_tokenizer

TEXTS = ["get 3 oak logs", "You see 12 mugs.", "Up", "Down", "### Response:\n", "a\nb\n"]

# The rules are those of the models' own templates, with the control tokens of the tiny vocabulary.
DEEPSEEK_CODER = (
    "{% for m in messages %}{% if m.role == 'user' %}### Instruction:\n{{ m.content }}\n"
    "{% else %}### Response:\n{{ m.content }}\n<|end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}### Response:\n{% endif %}"
)
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
QWEN3 = (
    "{% for m in messages %}{% set content = m.content %}"
    "{% if m.role == 'assistant' and '</think>' in content %}"
    "{% set content = content.split('</think>')[-1].lstrip('\n') %}{% endif %}"
    "<|{{ m.role }}|>{{ content }}{% if m.role == 'assistant' %}<|end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
CALLS = QWEN3.replace("</think>", "</tool_call>")
LINES = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: "
NO_EMPTY = TEMPLATE.replace("{{ '<|'", "{% if message['content'] %}{{ '<|'").replace(
    "{% endfor %}", "{% endif %}{% endfor %}"
)
TRIMMING = {
    "both": TEMPLATE.replace("message['content']", "message['content'] | trim"),
    "left": TEMPLATE.replace("message['content']", "message['content'].lstrip()"),
    "right": TEMPLATE.replace("message['content']", "message['content'].rstrip()"),
    "neither": TEMPLATE,
}
RAISES = "{% for m in messages %}{{ m.content['text'].strip() }}{% endfor %}"
LEAVES_OUT = (
    "{% for m in messages %}{% for part in m.content %}{% if part.type == 'text' %}"
    "{{ part.text }}{% endif %}{% endfor %}<|end|>{% endfor %}"
)


def chat_format(template: str) -> ChatFormat:
    """Return the format of a tiny tokenizer with *template*."""
    tokenizer = build_tokenizer(TEXTS, 400)
    tokenizer.chat_template = template
    return ChatFormat(tokenizer)


def chat(*contents: str) -> list[ChatMessage]:
    """Return messages of the user and the assistant in turn."""
    roles = ("user", "assistant")
    return [{"role": roles[i % 2], "content": content} for i, content in enumerate(contents)]


def test_a_line_break_before_the_end_token_is_not_the_end() -> None:
    """The end token is the first special one, and an answer keeps its own line breaks."""
    format_ = chat_format(DEEPSEEK_CODER)

    assert format_.end_id == format_.tokenizer.eos_token_id
    assert format_.end_ids == {format_.end_id}
    sampled = format_.answer("a\nb")
    assert format_.tokenizer.decode(sampled) == "a\nb\n<|end|>"
    assert format_.text(sampled) == "a\nb"
    assert format_.text([*format_.tokenizer.encode("a\nb"), format_.end_id]) == "a\nb"


@pytest.mark.parametrize("ended", [True, False])
def test_what_stands_before_the_end_token_is_not_repeated(*, ended: bool) -> None:
    """Opening, answer and continuation are the text of the chat, ended or truncated."""
    format_ = chat_format(DEEPSEEK_CODER)
    answer = format_.answer("Up") if ended else format_.tokenizer.encode("Up")
    ids = [*format_.opening(chat("a")), *answer, *format_.continuation("b", ended=ended)]

    assert format_.tokenizer.decode(ids) == (
        "### Instruction:\na\n### Response:\nUp\n<|end|>\n### Instruction:\nb\n### Response:\n"
    )


@pytest.mark.parametrize("template", [CHATML, LINES], ids=["chatml", "lines"])
def test_a_template_without_an_end_token_is_refused(template: str) -> None:
    """ChatML on a vocabulary without its tokens would end every answer at the letter ``<``."""
    with pytest.raises(InvalidValueError, match="has no special token, so sampling could not stop"):
        chat_format(template)


def test_a_template_that_cannot_be_continued_has_its_own_end_token() -> None:
    """The end is the template's, also where it is not the tokenizer's end of a text."""
    tokenizer = build_tokenizer(TEXTS, 400)
    tokenizer.chat_template, tokenizer.eos_token = QWEN3, "<|pad|>"
    format_ = ChatFormat(tokenizer)

    assert format_.end_id == tokenizer.convert_tokens_to_ids("<|end|>")
    assert format_.end_ids == {format_.end_id, tokenizer.eos_token_id}


@pytest.mark.parametrize("template", [QWEN3, CALLS, NO_EMPTY], ids=["thoughts", "calls", "empty"])
def test_a_rule_that_depends_on_the_answer_is_found_by_probes(template: str) -> None:
    """A template that changes only answers with thoughts or calls, or empty ones, is refused."""
    format_ = chat_format(template)

    assert format_.opening(chat("Up", "Down", "Up"))
    with pytest.raises(InvalidValueError, match="shows earlier messages differently"):
        format_.check_appends()


def test_a_template_that_refuses_empty_answers_is_accepted() -> None:
    """Such an answer is never shown to the template: an episode goes on from its tokens."""
    refusing = TEMPLATE.replace(
        "{{ '<|'",
        "{% if not message['content'] %}{{ raise_exception('empty') }}{% endif %}{{ '<|'",
        1,
    )

    assert chat_format(refusing).continuation("Up", ended=True) == chat_format(
        TEMPLATE
    ).continuation("Up", ended=True)


@pytest.mark.parametrize("sides", TRIMMING)
@pytest.mark.parametrize("observation", ["Up", " Up\n", "\n\nUp", "Up  ", "a\n b"])
def test_white_space_is_the_same_in_openings_and_continuations(
    sides: str, observation: str
) -> None:
    """An observation between two answers is trimmed exactly where the template trims it."""
    format_ = chat_format(TRIMMING[sides])
    whole = format_.opening(chat("a", "Up", observation))
    ids = [
        *format_.opening(chat("a")),
        *format_.answer("Up"),
        *format_.continuation(observation, ended=True),
    ]

    assert format_.tokenizer.decode(ids) == format_.tokenizer.decode(whole)


@pytest.mark.parametrize("template", [RAISES, LEAVES_OUT], ids=["raises", "leaves out"])
def test_a_template_for_images_is_refused(template: str) -> None:
    """A template that wants lists of parts is our error, also where it would show nothing."""
    with pytest.raises(InvalidValueError, match="cannot show messages whose content is text"):
        chat_format(template)
