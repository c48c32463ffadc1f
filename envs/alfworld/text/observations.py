"""What is seen after every move, as messages and as plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agentgym_gen.envs.alfworld.game import Game, Move
from agentgym_gen.envs.alfworld.house import TREATMENT_STATES, Goal
from agentgym_gen.envs.alfworld.wording import NOTHING_HAPPENS, Wording, help_text
from agentgym_gen.world import Command, Message, Scene, VerbName

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
"""How the original calls a thing by its states; the first that are all true count."""

STATE_FACTS: dict[str, str | VerbName] = {
    "clean": VerbName("clean"),
    "cool": VerbName("cool"),
    "hot": "hot",
    "on": "on",
    "sliced": "sliced",
}


def join_names(names: Iterable[str], article: str = "a ") -> str:
    """Return *names* as the original lists them, with a comma before "and" even for two.

    >>> listed(["mug 2", "mug 1"])
    'a mug 2, and a mug 1'
    """
    words = [article + name for name in names]
    if not words:
        return "nothing"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])}, and {words[-1]}"


class ObservationWriter:
    """Tells what a game shows.

    Args:
        game: The game.
        wording: The words to tell it in.
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

    def opening(self) -> Scene:
        """Return what is seen first: the room and the task."""
        house = self._game.house
        middle = (self._middle(self._receptacles),)
        seen = self._after_look(0, 0).message if self._game.receptacles_here() else middle
        task = self._wording.mark_verbs(f"\n\nYour task is to: {house.task}")
        facts = {"receptacles": self._receptacles, "task": goal_facts(house.goal)}
        return Scene((WELCOME, *seen, *task), facts)

    def after(self, move: Move) -> Scene:
        """Return what is seen after *move* was carried out."""
        verb, one, other = move
        if verb in TREATMENT_STATES:
            return self._after_treatment(verb, one, other)
        return self._writers[verb](one, other)

    def nothing_happens(self) -> Scene:
        """Return the answer to what cannot be done."""
        return Scene((NOTHING_HAPPENS,), {"result": NOTHING_HAPPENS})

    @staticmethod
    def _middle(names: Iterable[str]) -> str:
        return (
            f"You are in the middle of a room. Looking quickly around you, you see {join_names(names)}."
        )

    def _after_look(self, _one: int, _other: int) -> Scene:
        here = [self._receptacles[number] for number in self._game.receptacles_here()]
        if not here:
            return Scene((self._middle(()),), {"at": []})
        beside = [self._things[number] for number in self._game.things_beside()]
        text = f"You are facing the {join_names(here, '')}. Next to it, you see {join_names(beside)}."
        return Scene((text,), {"at": here, "beside": beside})

    def _after_inventory(self, _one: int, _other: int) -> Scene:
        held = self._game.in_hand
        if held is None:
            return Scene(("You are not carrying anything.",), {"carrying": []})
        name = self._things[held]
        return Scene((f"You are carrying: a {name}.",), {"carrying": [name]})

    def _after_help(self, _one: int, _other: int) -> Scene:
        message = help_text(self._wording)
        return Scene(message, {"commands": [one for one in message if isinstance(one, Command)]})

    def _after_go_to(self, one: int, _other: int) -> Scene:
        receptacle = self._game.house.receptacles[one]
        place = receptacle.place if self._wording.names_places else receptacle.name
        return self._with_content(f"You arrive at {place}. ", one)

    def _after_open(self, one: int, _other: int) -> Scene:
        return self._with_content("You ", one, VerbName("open"), f" the {self._receptacles[one]}. ")

    def _after_examine(self, one: int, _other: int) -> Scene:
        return self._with_content("", one)

    def _with_content(self, first: str, one: int, *then: str | VerbName) -> Scene:
        """Return *first* and *then*, followed by what is seen in receptacle *one*."""
        name = self._receptacles[one]
        names = [self._things[number] for number in self._game.content[one]]
        facts: dict[str, object] = {"receptacle": name, "content": names}
        seen: Message
        if not self._game.house.receptacles[one].openable:
            seen = (f"On the {name}, you see {join_names(names)}.",)
        elif self._game.is_open(one):
            facts["state"] = VerbName("open")
            seen = (f"The {name} is ", VerbName("open"), f". In it, you see {join_names(names)}.")
        else:
            facts = {"receptacle": name, "state": "closed"}
            seen = (f"The {name} is closed.",)
        return Scene((first, *then, *seen), facts)

    def _after_close(self, one: int, _other: int) -> Scene:
        name = self._receptacles[one]
        message = ("You ", VerbName("close"), f" the {name}.")
        return Scene(message, {"receptacle": name, "state": "closed"})

    def _after_take(self, one: int, other: int) -> Scene:
        name, receptacle = self._things[one], self._receptacles[other]
        text = f"You pick up the {name} from the {receptacle}."
        return Scene((text,), {"carrying": [name], "receptacle": receptacle})

    def _after_move(self, one: int, other: int) -> Scene:
        name, receptacle = self._things[one], self._receptacles[other]
        message = ("You ", VerbName("move"), f" the {name} {self._wording.put_preposition} the {receptacle}.")
        return Scene(message, {"carrying": [], "thing": name, "receptacle": receptacle})

    def _after_use(self, one: int, _other: int) -> Scene:
        name = self._things[one]
        return Scene((f"You turn on the {name}.",), {"thing": name, "state": "on"})

    def _after_slice(self, one: int, other: int) -> Scene:
        name, tool = self._things[one], self._things[other]
        facts = {"thing": name, "state": "sliced", "tool": tool}
        return Scene((f"You sliced the {name} with the {tool}.",), facts)

    def _after_treatment(self, how: str, one: int, other: int) -> Scene:
        name, receptacle = self._things[one], self._receptacles[other]
        message = ("You ", VerbName(how), f" the {name} using the {receptacle}.")
        state = STATE_FACTS[TREATMENT_STATES[how]]
        return Scene(message, {"thing": name, "state": state, "receptacle": receptacle})

    def _after_examine_held(self, one: int, _other: int) -> Scene:
        thing = self._game.house.things[one]
        if thing.holds is not None:
            text = f"This is a normal {thing.name}. In it, you see {join_names(thing.holds)}."
            return Scene((text,), {"thing": thing.name, "content": list(thing.holds)})
        states = {state for state, ones in self._game.states.items() if one in ones}
        facts = {"thing": thing.name, "states": [STATE_FACTS[state] for state in sorted(states)]}
        return Scene(_described(thing.name, thing.traits, states), facts)


def _described(name: str, traits: tuple[str, ...], states: set[str]) -> Message:
    """Return the sentence about a thing in hand."""
    for needed, words in ADJECTIVES.items():
        sliced_only = needed == {"sliced"} and "on" in states and "toggleable" in traits
        if needed <= states and not sliced_only:
            return ("This is a ", *words, f" {name}.")
    if "on" in states and "toggleable" in traits:
        return (f"This {name} is on.",)
    return (f"There's nothing special about {name}.",)


def goal_facts(goal: Goal) -> dict[str, object]:
    """Return *goal* as plain data."""
    facts: dict[str, object] = {"thing": goal.thing, "count": 2 if goal.type == "two" else 1}
    if goal.type in TREATMENT_STATES:
        facts["state"] = STATE_FACTS[TREATMENT_STATES[goal.type]]
    facts["lamp" if goal.type == "look" else "receptacle"] = goal.place
    return facts
