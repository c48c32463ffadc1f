"""Writing a household as a game file that the original loads.

The domain and the grammar, which every game file repeats, are taken from the installed
``alfworld``: they are its authors', and a game plays by the rules of the version that loads it.
"""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from agentgym_gen.envs.alfworld.house import OFFICIAL_TYPES, TREATMENT_TRAITS, TREATMENT_STATES, House
from agentgym_gen.envs.alfworld.official.game_reader import STATES
from agentgym_gen.errors import missing_extra
from agentgym_gen.system.files import write_text

ID_AFFIXES = {"sinkbasin": ("sink", "_bar_sinkbasin"), "bathtubbasin": ("bathtub", "_bar_bathtubbasin")}
"""What stands before and after the number in the ids of kinds that are written otherwise."""

ONE_OBJECT_GOAL = (
    "(exists (?r - receptacle) (exists (?o - object) (and {treated} (inReceptacle ?o ?r) "
    "(objectType ?o {thing}Type) (receptacleType ?r {place}Type))))"
)
TWO_OBJECTS_GOAL = (
    "(exists (?r - receptacle) (exists (?o1 - object) (and (objectType ?o1 {thing}Type) "
    "(receptacleType ?r {place}Type) (inReceptacle ?o1 ?r) (exists (?o2 - object) (and "
    "(not (= ?o1 ?o2)) (objectType ?o2 {thing}Type) (receptacleType ?r {place}Type) "
    "(inReceptacle ?o2 ?r))))))"
)
LAMP_GOAL = (
    "(exists (?ot - object ?r - receptacle ?a - agent ?l - location) (and "
    "(objectType ?ot {place}Type) (toggleable ?ot) (isToggled ?ot) (receptacleAtLocation ?r ?l) "
    "(atLocation ?a ?l) (inReceptacle ?ot ?r))) "
    "(exists (?o - object ?a - agent) (and (objectType ?o {thing}Type) (holds ?a ?o)))"
)


def write_game(house: House, folder: Path) -> Path:
    """Write *house* as ``game.tw-pddl``, with its ``traj_data.json``, and return the former.

    Raises:
        MissingExtraError: if ``alfworld`` is not installed.
        DataError: if the folder cannot be written.
    """
    text = game_text(house)
    write_text(folder / "traj_data.json", json.dumps(trajectory_data(house)))
    path = folder / "game.tw-pddl"
    write_text(path, text)
    return path


def game_text(house: House) -> str:
    """Return *house* as the text of a ``game.tw-pddl``.

    Raises:
        MissingExtraError: if ``alfworld`` is not installed.
    """
    data = original_data_folder()
    grammar = (data / "alfred.twl2").read_text(encoding="utf-8")
    game = {
        "pddl_domain": (data / "alfred.pddl").read_text(encoding="utf-8"),
        "grammar": grammar.replace("UNKNOWN GOAL.", house.task),
        "pddl_problem": pddl_problem(house),
        "solvable": True,
        "walkthrough": None,
    }
    return json.dumps(game)


def original_data_folder() -> Path:
    """Return the data folder of the installed ``alfworld``, without importing it.

    Raises:
        MissingExtraError: if it is not installed.
    """
    found = importlib.util.find_spec("alfworld")
    if found is None or found.origin is None:
        raise missing_extra("alfworld", "alfworld", "Writing game files")
    return Path(found.origin).parent / "data"


def trajectory_data(house: House) -> dict[str, object]:
    """Return what the original's expert reads beside a game."""
    goal = house.goal
    lamp = goal.type == "look"
    return {
        "task_type": OFFICIAL_TYPES[goal.type],
        "pddl_params": {
            "object_target": goal.thing,
            "parent_target": "" if lamp else goal.place,
            "toggle_target": goal.place if lamp else "",
            "mrecep_target": "",
            "object_sliced": False,
        },
    }


def pddl_problem(house: House) -> str:
    """Return *house* as a PDDL problem whose ids the original names as ours are named."""
    ids = _Ids(house)
    kinds = {one.kind for one in house.things} | {house.goal.thing}
    kinds |= {thing for _, thing in house.fits}
    places = {one.kind for one in house.receptacles}
    objects = [
        "agent1 - agent",
        *(f"{kind}Type - otype" for kind in sorted(kinds)),
        *(f"{kind}Type - rtype" for kind in sorted(places)),
        *(f"{one} - object" for one in ids.things),
        *(f"{one} - receptacle" for one in ids.receptacles),
        *(f"{one} - location" for one in sorted(ids.places.values())),
    ]
    lines = ["(define (problem generated)", "(:domain alfred)", "(:objects", *objects, ")"]
    lines += ["(:init", *(f"({fact})" for fact in _facts(house, ids)), ")"]
    return "\n".join([*lines, f"(:goal (and {_goal(house)}))", ")"]) + "\n"


class _Ids:
    """The ids of everything in a household.

    Args:
        house: The household.
    """

    def __init__(self, house: House) -> None:
        places = {one.place for one in house.receptacles} | {house.start}
        places |= {place for thing in house.things for place in thing.places}
        self.receptacles = _numbered(one.name for one in house.receptacles)
        self.things = _numbered(one.name for one in house.things)
        self.places = dict(zip(sorted(places), _numbered(sorted(places)), strict=True))


def _numbered(names: Iterable[str]) -> list[str]:
    """Return ids that sort against the numbers in *names*, as the original hands them out."""
    parts = [name.rsplit(" ", 1) for name in names]
    highest = Counter(kind for kind, _ in parts)
    found = []
    for kind, number in parts:
        before, after = ID_AFFIXES.get(kind, (kind, ""))
        found.append(f"{before}_bar_{highest[kind] - int(number):03d}{after}")
    return found


def _facts(house: House, ids: _Ids) -> Iterator[str]:
    for kind, thing in house.fits:
        yield f"canContain {kind}Type {thing}Type"
    for one, receptacle in zip(ids.receptacles, house.receptacles, strict=True):
        yield f"receptacleType {one} {receptacle.kind}Type"
        yield f"receptacleAtLocation {one} {ids.places[receptacle.place]}"
        if receptacle.openable:
            yield f"openable {one}"
        if receptacle.opened:
            yield f"opened {one}"
    for one, lying in zip(ids.things, house.things, strict=True):
        yield f"objectType {one} {lying.kind}Type"
        yield from (f"inReceptacle {one} {ids.receptacles[number]}" for number in lying.inside)
        yield from (f"objectAtLocation {one} {ids.places[place]}" for place in lying.places)
        yield from (f"{trait} {one}" for trait in lying.traits)
        yield from (f"{STATES[state]} {one}" for state in lying.states)
        if lying.holds is not None:
            yield f"isReceptacleObject {one}"
    yield f"atLocation agent1 {ids.places[house.start]}"


def _goal(house: House) -> str:
    goal = house.goal
    form = {"look": LAMP_GOAL, "two": TWO_OBJECTS_GOAL}.get(goal.type, ONE_OBJECT_GOAL)
    treated = ""
    if goal.type in TREATMENT_STATES:
        treated = f"({TREATMENT_TRAITS[goal.type]} ?o) (is{TREATMENT_STATES[goal.type].capitalize()} ?o)"
    return form.format(thing=goal.thing, place=goal.place, treated=treated)
