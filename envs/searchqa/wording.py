"""SearchQA's native texts: its verbs, its instruction and its fixed answers."""

from __future__ import annotations

from agentgym_gen.world import Command, Message, Verb, VerbName

SEARCH = Verb(
    "search",
    "<search>{query}</search>",
    ("your query",),
    (
        "<lookup>{query}</lookup>",
        "<retrieval>{query}</retrieval>",
        "<library>{query}</library>",
        "<encyclopedia>{query}</encyclopedia>",
    ),
    open=True,
)

ANSWER = Verb(
    "answer",
    "<answer>{text}</answer>",
    ("short text",),
    (
        "<reply>{text}</reply>",
        "<conclusion>{text}</conclusion>",
        "<verdict>{text}</verdict>",
        "<solution>{text}</solution>",
    ),
    open=True,
)

VERBS = (SEARCH, ANSWER)

_SEARCH, _ANSWER = VerbName("search"), VerbName("answer")
_SEARCH_TAGS, _ANSWER_TAGS = Command("search", (" and ",)), Command("answer", (" and ",))
"""``<search> and </search>``: commands, so that another syntax shows its own form."""

INSTRUCTION: Message = (
    *(VerbName("answer", capital=True), " the given question. You must conduct reasoning inside "),
    "<think> and </think> first every time you get new information. After reasoning, if you find ",
    *("you lack some knowledge, you can call a ", _SEARCH, " engine by "),
    *(Command("search", (" query ",)), " and it will return the top searched results between "),
    "<information> and </information>. You can ",
    *(_SEARCH, " as many times as your want. If you find no further external knowledge needed, "),
    *("you can directly provide the ", _ANSWER, " inside ", _ANSWER_TAGS, ", without detailed "),
    *("illustrations. For example, ", Command("answer", (" Beijing ",)), "."),
)
"""Search-R1's prompt before the question, to the letter."""

INVALID: Message = (
    *("Your previous action is invalid. If you want to ", _SEARCH, ", you should put the query "),
    *("between ", _SEARCH_TAGS, ". If you want to give the final ", _ANSWER, ", you should put "),
    *("the ", _ANSWER, " between ", _ANSWER_TAGS, ". Please try again."),
)
"""AgentGym's answer to a text without a tag, to the letter."""

CORRECT: Message = ("Congratulations! You have answered the question correctly.",)
"""AgentGym's answer to a right answer."""

WRONG: Message = ("Sorry, your ", _ANSWER, " is incorrect.")
"""The first half of AgentGym's answer to a wrong one, where the episode is over."""

WRONG_RETRY: Message = (*WRONG, " Please try again.")
"""AgentGym's answer to a wrong answer, where another one may be given."""


def unavailable(reason: str) -> Message:
    """Return the answer to a search while the retriever is not available, with the *reason*."""
    return ("The ", _SEARCH, f" engine is not available now ({reason}). Please try again.")
