"""The observation after every move, as a message and as plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

from agentgym_gen.envs.alfworld.game import Game, Move
from agentgym_gen.envs.alfworld.house import TREATMENT_STATES, Goal
from agentgym_gen.envs.alfworld.wording import NOTHING_HAPPENS, Wording, help_text
from agentgym_gen.world import Command, Message, Scene, VerbName, copy_sharing

WELCOME = "-= Welcome to TextWorld, ALFRED! =-\n\n"

ADJECTIVES = {
    frozenset({"clean", "hot", "sliced"}): ("hot and ", VerbName("clean"), " sliced"),
    frozenset({"clean", "cool", "sliced"}): (
        VerbName("cool"),
        " and ",
        VerbName("clean"),
        " sliced",
    ),
    frozenset({"clean", "sliced"}): (VerbName("clean"), " sliced"),
    frozenset({"hot", "sliced"}): ("hot sliced",),
    frozenset({"cool", "sliced"}): (VerbName("cool"), " sliced"),
    frozenset({"clean", "hot"}): ("hot and ", VerbName("clean")),
    frozenset({"clean", "cool"}): (VerbName("cool"), " and ", VerbName("clean")),
    frozenset({"hot"}): ("hot",),
    frozenset({"clean"}): (VerbName("clean"),),
    frozenset({"cool"}): ("cold",),
    frozenset({"sliced"}): ("sliced",),
}
"""The original's adjectives for a thing; the first entry counts whose states all hold."""

STATE_FACTS: dict[str, str | VerbName] = {
    "clean": VerbName("clean"),
    "cool": VerbName("cool"),
    "hot": "hot",
    "on": "on",
    "sliced": "sliced",
}
"""The word for every state in the plain data."""


def join_names(names: Iterable[str], article: str = "a ") -> str:
    """Return *names* as the original lists them, with a comma before "and" even for two.

    >>> join_names(["mug 2", "mug 1"])
    'a mug 2, and a mug 1'
    """
    words = [article + name for name in names]
    if not words:
        return "nothing"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])}, and {words[-1]}"


class ObservationWriter:
    """Writes the observations of a game.

    Args:
        game: The game.
        wording: The words to write them in.
    """

    def __init__(self, game: Game, wording: Wording) -> None:
        self._game = game
        self._wording = wording
        self._things = [thing.name for thing in game.house.things]
        self._receptacles = [receptacle.name for receptacle in game.house.receptacles]
        self._writers: dict[str, Callable[[int, int], Scene]] = {
            "look": self._after_look,
            "inventory": self._after_inventory,
            "help": self._after_help,
            "go_to": self._after_go_to,
            "open": self._after_open,
            "close": self._after_close,
            "examine": self._after_examine,
            "examine_held": self._after_examine_held,
            "take": self._after_take,
            "move": self._after_move,
            "use": self._after_use,
            "slice": self._after_slice,
        }

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares all words."""
        return copy_sharing(self, memo, "_wording", "_things", "_receptacles")

    def opening(self) -> Scene:
        """Return the first observation: the room and the task."""
        house = self._game.house
        middle = (self._middle(self._receptacles),)
        view = self._after_look(0, 0).message if self._game.receptacles_here() else middle
        task = self._wording.mark_verbs(f"\n\nYour task is to: {house.task}")
        facts = {"receptacles": self._receptacles, "task": goal_facts(house.goal)}
        return Scene((WELCOME, *view, *task), facts)

    def after(self, move: Move) -> Scene:
        """Return the observation after *move* was carried out."""
        verb, first, second = move
        if verb in TREATMENT_STATES:
            return self._after_treatment(verb, first, second)
        return self._writers[verb](first, second)

    def nothing_happens(self) -> Scene:
        """Return the observation after a command that is not admissible."""
        return Scene((NOTHING_HAPPENS,), {"result": NOTHING_HAPPENS})

    @staticmethod
    def _middle(names: Iterable[str]) -> str:
        return (
            "You are in the middle of a room. Looking quickly around you, you see "
            f"{join_names(names)}."
        )

    def _after_look(self, _first: int, _second: int) -> Scene:
        here = [self._receptacles[number] for number in self._game.receptacles_here()]
        if not here:
            return Scene((self._middle(()),), {"at": []})
        beside = [self._things[number] for number in self._game.things_beside()]
        place = f"You are facing the {join_names(here, '')}."
        text = f"{place} Next to it, you see {join_names(beside)}."
        return Scene((text,), {"at": here, "beside": beside})

    def _after_inventory(self, _first: int, _second: int) -> Scene:
        thing = self._game.in_hand
        if thing is None:
            return Scene(("You are not carrying anything.",), {"carrying": []})
        name = self._things[thing]
        return Scene((f"You are carrying: a {name}.",), {"carrying": [name]})

    def _after_help(self, _first: int, _second: int) -> Scene:
        message = help_text(self._wording)
        commands = [piece for piece in message if isinstance(piece, Command)]
        return Scene(message, {"commands": commands})

    def _after_go_to(self, receptacle: int, _second: int) -> Scene:
        target = self._game.house.receptacles[receptacle]
        name = target.place if self._wording.names_places else target.name
        return self._with_content((f"You arrive at {name}. ",), receptacle)

    def _after_open(self, receptacle: int, _second: int) -> Scene:
        name = self._receptacles[receptacle]
        return self._with_content(("You ", VerbName("open"), f" the {name}. "), receptacle)

    def _after_examine(self, receptacle: int, _second: int) -> Scene:
        return self._with_content(("",), receptacle)

    def _with_content(self, beginning: Message, receptacle: int) -> Scene:
        """Return *beginning*, followed by what can be seen in *receptacle*."""
        name = self._receptacles[receptacle]
        names = [self._things[number] for number in self._game.content[receptacle]]
        facts: dict[str, object] = {"receptacle": name, "content": names}
        view: Message
        if not self._game.house.receptacles[receptacle].openable:
            view = (f"On the {name}, you see {join_names(names)}.",)
        elif self._game.is_open(receptacle):
            facts["state"] = VerbName("open")
            view = (f"The {name} is ", VerbName("open"), f". In it, you see {join_names(names)}.")
        else:
            facts = {"receptacle": name, "state": "closed"}
            view = (f"The {name} is closed.",)
        return Scene((*beginning, *view), facts)

    def _after_close(self, receptacle: int, _second: int) -> Scene:
        name = self._receptacles[receptacle]
        message = ("You ", VerbName("close"), f" the {name}.")
        return Scene(message, {"receptacle": name, "state": "closed"})

    def _after_take(self, thing: int, receptacle: int) -> Scene:
        name, source = self._things[thing], self._receptacles[receptacle]
        text = f"You pick up the {name} from the {source}."
        return Scene((text,), {"carrying": [name], "receptacle": source})

    def _after_move(self, thing: int, receptacle: int) -> Scene:
        name, target = self._things[thing], self._receptacles[receptacle]
        preposition = self._wording.put_preposition
        message = ("You ", VerbName("move"), f" the {name} {preposition} the {target}.")
        return Scene(message, {"carrying": [], "thing": name, "receptacle": target})

    def _after_use(self, thing: int, _second: int) -> Scene:
        name = self._things[thing]
        return Scene((f"You turn on the {name}.",), {"thing": name, "state": "on"})

    def _after_slice(self, thing: int, tool: int) -> Scene:
        name, tool_name = self._things[thing], self._things[tool]
        facts = {"thing": name, "state": "sliced", "tool": tool_name}
        return Scene((f"You sliced the {name} with the {tool_name}.",), facts)

    def _after_treatment(self, verb: str, thing: int, receptacle: int) -> Scene:
        name, appliance = self._things[thing], self._receptacles[receptacle]
        message = ("You ", VerbName(verb), f" the {name} using the {appliance}.")
        state = STATE_FACTS[TREATMENT_STATES[verb]]
        return Scene(message, {"thing": name, "state": state, "receptacle": appliance})

    def _after_examine_held(self, number: int, _second: int) -> Scene:
        thing = self._game.house.things[number]
        if thing.holds is not None:
            text = f"This is a normal {thing.name}. In it, you see {join_names(thing.holds)}."
            return Scene((text,), {"thing": thing.name, "content": list(thing.holds)})
        states = {state for state, numbers in self._game.states.items() if number in numbers}
        facts = {"thing": thing.name, "states": [STATE_FACTS[state] for state in sorted(states)]}
        return Scene(_description(thing.name, thing.traits, states), facts)


def _description(name: str, traits: tuple[str, ...], states: set[str]) -> Message:
    """Return the sentence about a thing in hand."""
    is_lamp_on = "on" in states and "toggleable" in traits
    for needed_states, words in ADJECTIVES.items():
        # The original calls a lamp that is on "on" rather than "sliced".
        if needed_states <= states and not (is_lamp_on and needed_states == {"sliced"}):
            return ("This is a ", *words, f" {name}.")
    if is_lamp_on:
        return (f"This {name} is on.",)
    return (f"There's nothing special about {name}.",)


def goal_facts(goal: Goal) -> dict[str, object]:
    """Return *goal* as plain data."""
    facts: dict[str, object] = {"thing": goal.thing, "count": 2 if goal.type == "two" else 1}
    if goal.type in TREATMENT_STATES:
        facts["state"] = STATE_FACTS[TREATMENT_STATES[goal.type]]
    facts["lamp" if goal.type == "look" else "receptacle"] = goal.place
    return facts
