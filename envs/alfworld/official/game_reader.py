"""Reading the original's game files: the ``.tw-pddl`` JSON and the PDDL problem in it.

Only the problem and the task's sentence are read. Domain and grammar are the same in every game,
and `game` and `wording` are written after them.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from agentgym_gen.envs.alfworld.house import Goal, House, Receptacle, Thing, room_of
from agentgym_gen.errors import InvalidValueError

Facts = dict[str, list[list[str]]]
"""The arguments of every fact, by predicate."""

TRAITS = ("cleanable", "coolable", "heatable", "pickupable", "sliceable", "toggleable")
STATES = {
    "clean": "isclean",
    "cool": "iscool",
    "hot": "ishot",
    "on": "istoggled",
    "sliced": "issliced",
}
GOALS = {"isclean": "clean", "ishot": "heat", "iscool": "cool"}

_TOKEN = re.compile(r"[()]|[^\s()]+")
_COMMENT = re.compile(r";[^\n]*")
_TASK = re.compile(r'Your task is to: (.*?)"', re.DOTALL)
_SPELLED = {"_minus_": "-", "_plus_": "+", "_dot_": ".", "_comma_": ","}


def read_game(text: str) -> House:
    """Return the household of a game file with the content *text*, of any version.

    Raises:
        InvalidValueError: if it is not such a file, with what is missing.
    """
    try:
        data = json.loads(text)
        problem, grammar = data["pddl_problem"], data["grammar"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidValueError(f"it is no JSON object with `pddl_problem`: {error!r}") from error
    if not (isinstance(problem, str) and isinstance(grammar, str)):
        raise InvalidValueError("its `pddl_problem` and its `grammar` have to be texts")
    sentence = _TASK.search(grammar)
    if sentence is None:
        raise InvalidValueError("its grammar has no 'Your task is to: '")
    try:
        f"{problem}{sentence[1]}".encode()  # half a letter could be written to no file
        return read_problem(problem, sentence[1].strip())
    except InvalidValueError:
        raise
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise InvalidValueError(f"its PDDL problem is broken: {error!r}") from error


def read_problem(problem: str, task: str) -> House:
    """Return the household of the PDDL *problem*, whose task is worded as *task*.

    Raises:
        InvalidValueError: if the problem is broken.
    """
    sections = {part[0]: part for part in _parse(problem) if isinstance(part, list) and part}
    facts: Facts = defaultdict(list)
    for fact in sections.get(":init", [])[1:]:
        facts[fact[0]].append(list(fact[1:]))
    if not facts["atlocation"] or not facts["receptacleatlocation"]:
        raise InvalidValueError("its PDDL problem does not say where the agent and things are")
    goal = _goal(list(_predicates(sections.get(":goal", []))))
    names = original_names({word for found in facts.values() for args in found for word in args})
    start = names[facts["atlocation"][0][1]]
    receptacles = _receptacles(facts, names)
    things = _things(facts, names)
    kinds = {one.kind for one in receptacles}
    taken = {one.kind for one in things if "pickupable" in one.traits}
    pairs = {(_kind(one), _kind(other)) for one, other in facts["cancontain"]}
    fits = tuple(sorted(pair for pair in pairs if pair[0] in kinds and pair[1] in taken))
    return House(room_of(kinds), task, goal, start, receptacles, things, fits)


def original_names(ids: set[str]) -> dict[str, str]:
    """Return what the original calls each of *ids*.

    The ids of a kind are sorted and numbered downwards: the first one has the highest number.
    """
    kinds = {one: _base(one) for one in ids}
    left = Counter(kinds.values())
    names = {}
    for one in sorted(ids):
        kind = kinds[one]
        if "_bar_" in one:
            names[one] = f"{kind} {left[kind]}"
            left[kind] -= 1
        else:
            names[one] = kind
    return names


def _base(one: str) -> str:
    base, bar, _ = one.partition("_bar_")
    if bar:
        return base + ("basin" if "basin" in one else "")
    for spelled, sign in _SPELLED.items():
        one = one.replace(spelled, sign)
    return f"{one} "


def _parse(text: str) -> list[list[str]]:
    """Return the outermost list of *text*; a part of it is a word or a list of the same."""
    stack: list[list[object]] = [[]]
    for token in _TOKEN.findall(_COMMENT.sub("", text).lower()):
        if token == "(":
            stack.append([])
        elif token != ")":
            stack[-1].append(token)
        elif len(stack) > 1:
            closed = stack.pop()
            stack[-1].append(closed)
    if len(stack) != 1 or not isinstance(stack[0][:1] and stack[0][0], list):
        raise InvalidValueError("the brackets of its PDDL problem do not match")
    return stack[0][0]  # type: ignore[return-value]  # shown to be a list just above


def _predicates(part: object) -> Iterator[list[str]]:
    """Yield every list in *part* that holds words only."""
    if isinstance(part, list):
        if all(isinstance(word, str) for word in part):
            yield part
        for inner in part:
            yield from _predicates(inner)


def _goal(predicates: list[list[str]]) -> Goal:
    """Return the goal that *predicates* make up, in any of the original's six patterns."""
    known = {words[0] for words in predicates if words}
    things = [_kind(words[2]) for words in predicates if words[:1] == ["objecttype"]]
    places = [_kind(words[2]) for words in predicates if words[:1] == ["receptacletype"]]
    if "istoggled" in known and len(things) == 2:
        lamp = next((kind for kind in things if "lamp" in kind), things[0])
        return Goal("look", next(kind for kind in things if kind != lamp), lamp)
    if not things or not places:
        raise InvalidValueError("its goal names no kind of object or of receptacle")
    treated = next((short for word, short in GOALS.items() if word in known), "pick")
    return Goal("two" if len(things) == 2 else treated, things[0], places[0])


def _kind(word: str) -> str:
    return word.removesuffix("type")


def _pairs(facts: list[list[str]]) -> dict[str, str]:
    return {one: other for one, other in facts}  # noqa: C416  (dict() wants tuples)


def _receptacles(facts: Facts, names: dict[str, str]) -> tuple[Receptacle, ...]:
    kinds = {one: _kind(kind) for one, kind in facts["receptacletype"]}
    openable = {one for (one,) in facts["openable"]}
    opened = {one for (one,) in facts["opened"]}
    return tuple(
        Receptacle(names[one], kinds.get(one, ""), names[place], one in openable, one in opened)
        for one, place in sorted(_pairs(facts["receptacleatlocation"]).items())
    )


def _things(facts: Facts, names: dict[str, str]) -> tuple[Thing, ...]:
    """Return what lies somewhere or can be sliced; windows and the like are never spoken of."""
    order = {one: i for i, one in enumerate(sorted(_pairs(facts["receptacleatlocation"])))}
    kinds = {one: _kind(kind) for one, kind in facts["objecttype"]}
    inside: dict[str, set[int]] = defaultdict(set)
    places: dict[str, set[str]] = defaultdict(set)
    held: dict[str, set[str]] = defaultdict(set)
    for one, receptacle in facts["inreceptacle"]:
        if receptacle in order:
            inside[one].add(order[receptacle])
    for one, place in facts["objectatlocation"]:
        places[one].add(names[place])
    for one, holder in facts["inreceptacleobject"]:
        held[holder].add(one)
    has = {trait: {one for (one,) in facts[trait]} for trait in TRAITS}
    states = {state: {one for (one,) in facts[word]} for state, word in STATES.items()}
    hollow = {one for (one,) in facts["isreceptacleobject"]}
    return tuple(
        Thing(
            name=names[one],
            kind=kinds.get(one, ""),
            traits=tuple(trait for trait in TRAITS if one in has[trait]),
            inside=tuple(sorted(inside[one])),
            places=tuple(sorted(places[one])),
            holds=tuple(names[part] for part in sorted(held[one])) if one in hollow else None,
            states=tuple(state for state in STATES if one in states[state]),
        )
        for one in sorted({*inside, *has["sliceable"]})
    )
