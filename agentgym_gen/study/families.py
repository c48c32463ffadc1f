"""Arm families: the questions of the study, each turned into arms and columns.

======== ==================================== ============================== ==============
family   trains on                            tests on                       claims
======== ==================================== ============================== ==============
difficulty easy, medium, hard, mixed, curricula every tier                   T1, T2, T3
cross    each environment alone               all of them                    T4, T5
interface one interface, or drawn ones        every interface, other worlds  T6
sequence one environment after another        all, after every stage         T7, T8
mixture  all together                         all                            T9
======== ==================================== ============================== ==============
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.interface import PRESETS, parse_interface
from agentgym_gen.study.plan import Arm, EnvironmentPlan, Stage, label
from agentgym_gen.world import TIERS

LISTED_TIERS = ("easy", "hard")
"""The tiers that a calibration makes."""

ALL_TIERS = "all"
"""What an environment's tier is called where all of them are played."""

DIFFICULTY_ARMS = ("easy", "medium", "hard", "mixed", "easy-hard", "hard-easy")


@dataclass(frozen=True)
class Difficulty:
    """Train on tiers of one environment, test on all its tiers."""

    environments: tuple[str, ...]
    """Which environments."""
    arms: tuple[str, ...] = DIFFICULTY_ARMS
    """Tiers, ``mixed`` (all tiers at once) and curricula such as ``easy-hard``.

    The stages of a curriculum share the steps of one training, so that all arms cost the same.
    """
    tiers: tuple[str, ...] = ()
    """The tiers that are tested, and those of ``mixed``; empty means all there are."""


@dataclass(frozen=True)
class Cross:
    """Train on each environment alone, test on all."""

    environments: tuple[str, ...]
    """Which environments."""


@dataclass(frozen=True)
class InterfaceShift:
    """Train through one interface of an environment, test through many."""

    environments: tuple[str, ...]
    """Which environments."""
    train: tuple[str, ...] = ("native", "listed", "unlisted")
    """The interfaces to train through.

    Several joined by ``|`` are trained on in equal parts; one that begins with ``random`` is drawn
    anew for every episode.
    """
    test: tuple[str, ...] = ()
    """The interfaces to test through; empty means the native one and every preset."""
    elsewhere: tuple[str, ...] = ()
    """Other environments that these models are tested on, too."""


@dataclass(frozen=True)
class Sequence_:  # noqa: N801  (`Sequence` is taken)
    """Train on one environment after another; test on all after every stage."""

    pairs: tuple[tuple[str, ...], ...] = ()
    """Two-stage arms, each ``[first, second]``."""
    all_pairs_of: tuple[str, ...] = ()
    """Every ordered pair of these environments."""
    orders: tuple[tuple[str, ...], ...] = ()
    """Whole orders."""


@dataclass(frozen=True)
class Mixture:
    """Train on all environments at once."""

    environments: tuple[str, ...]
    """Which environments."""
    share: float = 1.0
    """The training steps, in units of one training."""


@dataclass(frozen=True)
class OwnArm:
    """An arm that belongs to no family."""

    name: str
    """Its name; with several stages each gets a number."""
    stages: tuple[tuple[str, ...], ...]
    """The environment ids of each stage."""
    test: tuple[str, ...]
    """The environment ids that it is tested on, after every stage."""


@dataclass(frozen=True)
class Families:
    """The questions of a study; what is None is not asked."""

    difficulty: Difficulty | None = None
    cross: Cross | None = None
    interface: InterfaceShift | None = None
    sequence: Sequence_ | None = None
    mixture: Mixture | None = None
    own: tuple[OwnArm, ...] = field(default=())


def expand(families: Families, environments: Mapping[str, EnvironmentPlan]) -> tuple[Arm, ...]:
    """Return the arms of *families* over *environments*.

    Raises:
        UnknownNameError: if a family names an environment, tier or interface that there is not.
    """
    makers: list[tuple[object, Callable[..., list[Arm]]]] = [
        (families.difficulty, _difficulty),
        (families.cross, _cross),
        (families.interface, _interface),
        (families.sequence, _sequence),
        (families.mixture, _mixture),
    ]
    book = _Book(environments)
    arms = [arm for asked, make in makers if asked is not None for arm in make(asked, book)]
    for own in families.own:
        arms.append(_own(own))
    return tuple(arms)


@dataclass(frozen=True)
class _Book:
    """The environments of a study, and how their ids are written."""

    environments: Mapping[str, EnvironmentPlan]

    def plan(self, name: str) -> EnvironmentPlan:
        if name not in self.environments:
            known = self.environments
            raise unknown_name("environment of the study", name, known, "add [environments.NAME]")
        return self.environments[name]

    def tiers(self, name: str) -> tuple[str, ...]:
        return LISTED_TIERS if self.plan(name).lists else TIERS

    def env_id(self, name: str, tier: str = "", interface: str = "") -> str:
        """Return the id of *name* on *tier* through *interface*; what is empty is the plan's."""
        plan = self.plan(name)
        tier = tier or plan.tier
        whole = tier == ALL_TIERS and not plan.lists
        if tier not in self.tiers(name) and not whole:
            known = [*self.tiers(name), ALL_TIERS]
            raise unknown_name(f"tier of {name}", tier, known, "for this environment")
        spoken = interface or plan.interface
        parse_interface(spoken)
        query = {"tasks": f"{plan.lists}.{tier}.txt"} if plan.lists else {}
        parts = [name] if plan.lists or whole else [name, tier]
        if spoken in PRESETS and len(parts) > 1:
            parts.append(spoken)
        elif spoken != "native":
            query["interface"] = spoken
        told = "&".join(f"{key}={value}" for key, value in query.items())
        return f"rftgen/{'-'.join(parts)}-v{plan.version}" + (f"?{told}" if told else "")

    def stage(self, name: str, tier: str = "", share: float = 1.0) -> Stage:
        env_id = self.env_id(name, tier)
        return Stage(label(env_id).lower(), (env_id,), share)


def is_random(interface: str) -> bool:
    """Say whether *interface* is the text form of one that is drawn for every episode."""
    return interface.split()[:1] == ["random"]


def _difficulty(asked: Difficulty, book: _Book) -> list[Arm]:
    return [
        Arm("difficulty", _tier_stages(name, arm, asked, book), _tier_columns(name, asked, book))
        for name in asked.environments
        for arm in asked.arms
        if arm != "medium" or "medium" in book.tiers(name)
    ]


def _tier_columns(name: str, asked: Difficulty, book: _Book) -> tuple[str, ...]:
    return tuple(book.env_id(name, tier) for tier in asked.tiers or book.tiers(name))


def _tier_stages(name: str, arm: str, asked: Difficulty, book: _Book) -> tuple[Stage, ...]:
    if arm == "mixed":
        return (Stage(f"{name.lower()}-mixed", _tier_columns(name, asked, book)),)
    tiers = arm.split("-")
    unknown = [tier for tier in tiers if tier not in book.tiers(name)]
    if unknown:
        known = [*book.tiers(name), "mixed", "easy-hard"]
        raise unknown_name("difficulty arm", arm, known, "tiers, or several joined by '-'")
    return tuple(book.stage(name, tier, 1 / len(tiers)) for tier in tiers)


def _cross(asked: Cross, book: _Book) -> list[Arm]:
    columns = _plain(asked.environments, book)
    return [Arm("cross", (book.stage(name),), columns) for name in asked.environments]


def _plain(names: Sequence[str], book: _Book) -> tuple[str, ...]:
    return tuple(book.env_id(name) for name in names)


def _interface(asked: InterfaceShift, book: _Book) -> list[Arm]:
    arms = []
    for name in asked.environments:
        tested = asked.test or ("native", *PRESETS)
        columns = [book.env_id(name, interface=spoken) for spoken in tested]
        others = _plain([other for other in asked.elsewhere if other != name], book)
        for trained in asked.train:
            parts = [trained] if is_random(trained) else trained.split("|")
            ids = tuple(book.env_id(name, interface=spoken) for spoken in parts)
            called = label(ids[0]).lower()
            if len(parts) > 1:
                called = f"{label(book.env_id(name, interface='native')).lower()}-{'+'.join(parts)}"
            arms.append(Arm("interface", (Stage(called, ids),), (*columns, *others)))
    return arms


def _sequence(asked: Sequence_, book: _Book) -> list[Arm]:
    wrong = [pair for pair in asked.pairs if len(pair) != 2]
    if wrong:
        raise InvalidValueError(f"A pair is two environments, not {list(wrong[0])!r}")
    sequences = [*asked.pairs, *permutations(asked.all_pairs_of, 2), *asked.orders]
    names = dict.fromkeys(name for sequence in sequences for name in sequence)
    columns = _plain(list(names), book)
    return [
        Arm("sequence", tuple(book.stage(name) for name in sequence), columns, every_stage=True)
        for sequence in dict.fromkeys(sequences)
    ]


def _mixture(asked: Mixture, book: _Book) -> list[Arm]:
    columns = _plain(asked.environments, book)
    return [Arm("mixture", (Stage("mixture", columns, asked.share),), columns)]


def _own(asked: OwnArm) -> Arm:
    several = len(asked.stages) > 1
    stages = tuple(
        Stage(f"{asked.name}-{number}" if several else asked.name, tuple(ids))
        for number, ids in enumerate(asked.stages, 1)
    )
    return Arm("own", stages, asked.test, every_stage=several)
