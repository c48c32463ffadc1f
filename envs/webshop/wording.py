"""The native texts of WebShop beside its pages: its verbs and its instruction."""

from __future__ import annotations

from agentgym_gen.world import Command, Message, Verb, VerbName

SEARCH = Verb(
    "search",
    "search[{keywords}]",
    ("your query",),
    ("browse[{keywords}]", "lookup[{keywords}]", "query[{keywords}]", "explore[{keywords}]"),
    open=True,
)

CLICK = Verb(
    "click",
    "click[{button}]",
    ("value",),
    ("press[{button}]", "tap[{button}]", "choose[{button}]", "select[{button}]"),
)

VERBS = (SEARCH, CLICK)

_SEARCH, _CLICK = VerbName("search"), VerbName("click")

INSTRUCTION: Message = (
    "You are web shopping.\nI will give you instructions about what to do.\n",
    "You have to follow the instructions.\nEvery round I will give you an observation and a list ",
    "of available actions, you have to respond an action based on the state and instruction.\n",
    *("You can use ", _SEARCH, " action if ", _SEARCH, " is available.\n"),
    *("You can ", _CLICK, " one of the buttons in clickables.\n"),
    "An action should be of the following structure:\n",
    *(Command("search", ("keywords",)), "\n", Command("click", ("value",)), "\n"),
    *("If the action is not valid, perform nothing.\nKeywords in ", _SEARCH, " are up to you, "),
    *("but the value in ", _CLICK, " must be a value in the list of available actions.\n"),
    *("Remember that your keywords in ", _SEARCH, " should be carefully designed."),
)
"""AgentGym's instruction word for word, without the format of the answer: the prompt says that."""

VERB_LABELS = {"back to search": ("back to ", _SEARCH)}
"""The one button that names a verb, as a message in which the verb can be renamed."""
