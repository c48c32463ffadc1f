"""WebShop as a world: the original's pages, buttons, search and reward in one process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from agentgym_gen.envs.webshop import pages
from agentgym_gen.envs.webshop.distractors import DISTRACTOR_AMOUNT, distractor_lines
from agentgym_gen.envs.webshop.expert import plan_purchase
from agentgym_gen.envs.webshop.goals import Goal
from agentgym_gen.envs.webshop.matching.nouns import load_noun_extractor
from agentgym_gen.envs.webshop.reward import RewardDetails, Scoring
from agentgym_gen.envs.webshop.rules import parse_rules
from agentgym_gen.envs.webshop.session import BACK, Page, Session
from agentgym_gen.envs.webshop.tasks import open_tasks
from agentgym_gen.envs.webshop.wording import INSTRUCTION, SEARCH, VERB_LABELS, VERBS
from agentgym_gen.world import (
    Command,
    EndReason,
    Malformed,
    Message,
    Outcome,
    Scene,
    Surface,
    Task,
    World,
    copy_sharing,
    in_lower_case,
    phrase_of,
)
from agentgym_gen.world.distractors import sample_evenly

__all__ = ["BUTTON_WORDS", "WebShop"]

_ACTION = re.compile(r"([^\[]+)\[(.+)\]")
_ORIGINAL_ACTION = re.compile(r"(.+)\[(.+)\]")
_NAMEABLE = re.compile(r"(?=.*[^\W\d_])[^_]+")  # with a letter, without an underscore


class WebShop(World[Goal]):
    """Buy what a customer asks for: search, compare, select the options, and pay.

    Args:
        products: How many products the shop has. Of official files the first so many are read, and
            all of them if it is None.
        data_dir: The folder of WebShop's own files. Without it the shop is our own, unless *goals*
            are official ones; then ``WEBSHOP_DATA`` names the folder.
        goals: ``generated``, or the official ``synthetic`` or ``human`` ones.
        **rules: *observation*: the mode of the original's pages, ``text`` or ``text_rich``;
            *preset*: whose turn limit, reward and splits are used, ``webshop``, ``agentgym`` or
            ``verl-agent``; *compat*: ``fixed``, or ``original`` with the original's faults;
            *nouns*: how titles are compared, by ``words`` or by the nouns of ``spacy``; *expert*:
            what the expert searches for, the ``instruction`` or the ``title`` of the product.

    Raises:
        UnknownNameError: if a keyword has no such value.
        InvalidValueError: if there cannot be so many products.
        DataError: if official goals are asked for and the files cannot be read.
        MissingExtraError: if *nouns* is ``spacy``, which is not installed.
    """

    name = "WebShop"
    steps_in_process = True
    verbs = VERBS

    def __init__(
        self,
        *,
        products: int | None = 1000,
        data_dir: str | Path | None = None,
        goals: str | None = None,
        **rules: str,
    ) -> None:
        self._rules = parse_rules(rules)
        self.tasks = open_tasks(products, data_dir, goals, self._rules)
        self._shop = self.tasks.shop
        self._scoring = Scoring(load_noun_extractor(self._rules.nouns), self._rules.as_original)
        self._details = RewardDetails()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares the shop and all records."""
        records = ("_rules", "_scoring", "_details", "_goal", "_plan", "_buttons", "_admissible")
        return copy_sharing(self, memo, *records)

    def reset(self, task: Task[Goal]) -> Scene:
        """Start *task* on the page with the search bar."""
        self._goal = task.content
        self._session = Session(self._shop)
        self._details = RewardDetails()
        self._plan: tuple[Command, ...] | None = None
        self._update_buttons()
        return self._scene()

    def step(self, command: Command) -> Outcome:
        """Search, or click a button of the page."""
        argument = command.args[0].lower()
        if command.verb == SEARCH.name:
            return self._search(argument)
        button = self._buttons.get(in_lower_case(argument))
        if button is None:
            reason = f"there is no button called {argument[:80]!r} on this page"
            return Outcome(self._scene(), valid=False, reason=reason)
        self._session.click(button)
        self._follow(Command(command.verb, (button,)))
        return self._buy() if self._session.page is Page.DONE else Outcome(self._scene())

    def admissible(self) -> tuple[Command, ...]:
        """Return the buttons of the page; on the start page, which has none, the search."""
        return self._admissible

    def expert_plan(self) -> tuple[Command, ...] | None:
        """Return commands that buy what the goal asks for, or None after the purchase."""
        if self._plan is None and self._session.page is not Page.DONE:
            self._plan = plan_purchase(self._session, self._goal, self._query())
        return self._plan

    def instruction(self) -> Message:
        """Return AgentGym's instruction."""
        return INSTRUCTION

    def goal(self) -> str:
        """Return what the customer says."""
        return self._goal.instruction

    def turn_limit(self) -> int:
        """Return the limit of the preset, the same for every task."""
        return self._rules.turn_limit

    def invalid_reply(self, malformed: Malformed) -> Message:
        """Return the unchanged page, as the original does."""
        return self._scene().message

    def read(self, text: str) -> Command | Malformed:
        """Parse ``search[...]`` or ``click[...]`` as the original does, in any case.

        What follows the last closing bracket of the line is ignored. The pattern of the original
        splits at the last opening bracket, so that its queries with brackets do nothing.
        """
        return self._read(text, {verb.name: verb.name for verb in self.verbs})

    def read_reworded(self, text: str, templates: Mapping[str, str]) -> Command | Malformed:
        """Read *text* as `read` does, with the words of *templates*."""
        return self._read(text, {phrase_of(words): verb for verb, words in templates.items()})

    def _read(self, text: str, verbs: Mapping[str, str]) -> Command | Malformed:
        if self._rules.as_original:
            match = _ORIGINAL_ACTION.match(text)
            if match and match[1] in verbs:
                return Command(verbs[match[1]], (match[2],))
        else:
            match = _ACTION.match(text.strip())
            verb = verbs.get(" ".join(match[1].lower().split())) if match else None
            if match and verb and match[2].strip():
                return Command(verb, (match[2].strip(),))
        return Malformed(text, "an action is one of the two verbs with its text in brackets")

    def surface(self) -> Surface:
        """Return what interfaces read of this world."""
        return Surface(
            nouns=self._nouns,
            canonical_argument=in_lower_case,
            verb_labels=VERB_LABELS,
            distractors=_distractors,
            distractor_amount=DISTRACTOR_AMOUNT,
        )

    def _nouns(self) -> tuple[str, ...]:
        """Return the values of the options of the goal's product.

        Values without a letter are not renamed, nor those that are also the name of a button.
        """
        options = self._shop.product(self._goal.asin).options
        values = dict.fromkeys(value for values in options.values() for value in values)
        return tuple(v for v in values if _NAMEABLE.fullmatch(v) and v not in BUTTON_WORDS)

    def info(self) -> Mapping[str, Any]:
        """Return the parts of the reward, and how titles were compared."""
        return {"reward_details": dict(vars(self._details)), "noun_extractor": self._rules.nouns}

    def _search(self, query: str) -> Outcome:
        if not query.strip() and not self._rules.as_original:
            return Outcome(self._scene(), valid=False, reason="there is nothing to look for")
        self._session.search(query)
        self._follow(Command(SEARCH.name, (query,)))
        return Outcome(self._scene())

    def _buy(self) -> Outcome:
        product = self._session.product
        target = self._shop.product(self._goal.asin)
        if product is not None:
            self._details = self._scoring.score_purchase(
                product, target, self._goal, self._session.selection
            )
        total = self._details.total
        parts = pages.done_parts(self._session, total)
        render = pages.render_text_rich if self._rules.is_text_rich else pages.render_text
        scene = Scene(render(parts), {"page": str(Page.DONE), "score": total})
        reward = self._rules.reward(total)
        end = EndReason.SUCCESS if total == 1.0 else EndReason.FAILURE
        return Outcome(scene, reward=reward, end=end, score=total)

    def _scene(self) -> Scene:
        instruction = self._goal.instruction
        parts = pages.page_parts(self._session, instruction, as_original=self._rules.as_original)
        facts = pages.page_facts(self._session, instruction)
        if self._rules.is_text_rich:
            return Scene(pages.render_text_rich(parts), facts)
        page = pages.render_text(parts)
        lines = () if self._rules.as_original else pages.selection_lines(parts)
        return Scene((*lines, *page), facts)

    def _follow(self, command: Command) -> None:
        """Keep the rest of the plan if *command* is its first step, and read the new buttons."""
        is_planned = self._plan is not None and self._plan[:1] == (command,)
        self._plan = self._plan[1:] if self._plan and is_planned else None
        self._update_buttons()

    def _update_buttons(self) -> None:
        buttons = self._session.buttons()
        self._buttons = {" ".join(button.split()): button for button in buttons}
        clicks = tuple(Command("click", (button,)) for button in buttons)
        self._admissible = (SEARCH.usage,) if self._session.page is Page.START else clicks

    def _query(self) -> str:
        """Return what the expert searches for; the title where the request does not find it."""
        title = self._shop.product(self._goal.asin).title.lower()
        request = self._goal.request.lower()
        if (
            self._rules.expert == "instruction"
            and self._shop.rank(request, self._goal.asin) is not None
        ):
            return request
        return title


BUTTON_WORDS = frozenset([BACK, "next", "prev", "now", "buy", "description", "features", "reviews"])
"""Words on buttons, which are never renamed."""


def _distractors(rng: np.random.Generator, amount: int) -> tuple[str, ...]:
    """Return advertisements, trivia, and products that nobody sells."""
    return sample_evenly(distractor_lines(), amount, rng)
