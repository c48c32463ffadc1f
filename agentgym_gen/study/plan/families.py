"""Arm families: each is a question of the study, and `expand` turns it into arms and columns.

========== ==================================== ============================== ==============
family     trains on                            tests on                       claims
========== ==================================== ============================== ==============
difficulty easy, medium, hard, mixed, curricula every tier                     T1, T2, T3
cross      each environment alone               all of them                    T4, T5
interface  one interface, or sampled ones       every interface, other worlds  T6
sequence   one environment after another        all, after every stage         T7, T8
mixture    all together                         all                            T9
========== ==================================== ============================== ==============
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.ids import EnvId, option_query
from agentgym_gen.interface import PRESETS, parse_interface
from agentgym_gen.study.plan.arms import MAX_SHARE, Arm, Stage, label
from agentgym_gen.study.plan.folder_names import check_folder_name
from agentgym_gen.study.plan.given import GivenModel
from agentgym_gen.study.plan.plan import EnvironmentPlan
from agentgym_gen.study.plan.validation import short_repr
from agentgym_gen.world import TIERS

__all__ = [
    "ALL_TIERS",
    "DIFFICULTY_ARMS",
    "LISTED_TIERS",
    "CrossFamily",
    "CustomArm",
    "DifficultyFamily",
    "Families",
    "InterfaceFamily",
    "MixtureFamily",
    "SequenceFamily",
    "expand",
    "given_arms",
    "is_random",
]

LISTED_TIERS = ("easy", "hard")
"""The tiers that a calibration makes, each a list of tasks."""

ALL_TIERS = "all"
"""The tier of an environment that is played on tasks of every tier."""

DIFFICULTY_ARMS = ("easy", "medium", "hard", "mixed", "easy-hard", "hard-easy")


@dataclass(frozen=True)
class DifficultyFamily:
    """Train on tiers of one environment, test on all its tiers."""

    environments: tuple[str, ...]
    """The names of the environments."""
    arms: tuple[str, ...] = DIFFICULTY_ARMS
    """Tiers, ``mixed`` (all tiers at once) and curricula such as ``easy-hard``.

    The stages of a curriculum share the steps of one training, so that all arms cost the same.
    """
    tiers: tuple[str, ...] = ()
    """The tiers that are tested, and those of ``mixed``; empty means all tiers."""


@dataclass(frozen=True)
class CrossFamily:
    """Train on each environment alone, test on all."""

    environments: tuple[str, ...]
    """The names of the environments."""


@dataclass(frozen=True)
class InterfaceFamily:
    """Train through one interface of an environment, test through many."""

    environments: tuple[str, ...]
    """The names of the environments."""
    train: tuple[str, ...] = ("native", "listed", "unlisted")
    """The interfaces to train through.

    Several joined by ``|`` are trained on in equal parts; one that begins with ``random`` is
    sampled anew for every episode.
    """
    test: tuple[str, ...] = ()
    """The interfaces to test through; empty means the native one and every preset."""
    elsewhere: tuple[str, ...] = ()
    """Other environments that these models are tested on, too."""


@dataclass(frozen=True)
class SequenceFamily:
    """Train on one environment after another; test on all after every stage."""

    pairs: tuple[tuple[str, ...], ...] = ()
    """Arms of two stages, each ``[first, second]``."""
    all_pairs_of: tuple[str, ...] = ()
    """Environments of which every ordered pair is an arm."""
    orders: tuple[tuple[str, ...], ...] = ()
    """Arms of any number of stages."""


@dataclass(frozen=True)
class MixtureFamily:
    """Train on all environments at once."""

    environments: tuple[str, ...]
    """The names of the environments."""
    share: float = 1.0
    """The training steps, in units of one training."""

    def __post_init__(self) -> None:
        """Check the share, so that the error names its line."""
        if not 0 < self.share <= MAX_SHARE:
            raise InvalidValueError(
                f"`share` is above 0 and at most {MAX_SHARE}, not {self.share!r}"
            )


@dataclass(frozen=True)
class CustomArm:
    """An arm that belongs to no family."""

    name: str
    """Its name; if it has several stages, each gets a number."""
    stages: tuple[tuple[str, ...], ...]
    """The environment ids of each stage."""
    test: tuple[str, ...]
    """The environment ids that it is tested on, after every stage."""

    def __post_init__(self) -> None:
        """Check the name, so that the error names its line."""
        check_folder_name(self.name, "`name`: ")


@dataclass(frozen=True)
class Families:
    """The questions of a study; None leaves one out."""

    difficulty: DifficultyFamily | None = None
    cross: CrossFamily | None = None
    interface: InterfaceFamily | None = None
    sequence: SequenceFamily | None = None
    mixture: MixtureFamily | None = None
    custom: tuple[CustomArm, ...] = ()


def given_arms(
    given: Sequence[GivenModel],
    arms: Sequence[Arm],
    environments: Mapping[str, EnvironmentPlan],
) -> tuple[Arm, ...]:
    """Return an arm for each *given* model, of the family cross, or of mixture if it has several.

    Args:
        given: The models.
        arms: The arms that are trained here; a given model is tested on all their columns, unless
            it names others.
        environments: The environments of the study, which are the columns where nothing is trained.
    """
    columns = [column for arm in arms for column in arm.columns]
    columns = columns or list(_EnvIds(environments).columns(list(environments)))
    return tuple(
        Arm(
            "cross" if len(model.trained_on) == 1 else "mixture",
            (Stage(model.name, model.trained_on),),
            tuple(dict.fromkeys((*model.trained_on, *(model.test or columns)))),
        )
        for model in given
    )


def expand(families: Families, environments: Mapping[str, EnvironmentPlan]) -> tuple[Arm, ...]:
    """Return the arms of *families* over *environments*.

    Raises:
        UnknownNameError: if a family names an environment, tier or interface that does not exist.
    """
    makers: list[tuple[object, Callable[..., list[Arm]]]] = [
        (families.difficulty, _difficulty_arms),
        (families.cross, _cross_arms),
        (families.interface, _interface_arms),
        (families.sequence, _sequence_arms),
        (families.mixture, _mixture_arms),
    ]
    _check_repetitions(families)
    env_ids = _EnvIds(environments)
    arms = [
        arm
        for family, make_arms in makers
        if family is not None
        for arm in make_arms(family, env_ids)
    ]
    arms += [_custom_arm(custom) for custom in families.custom]
    return tuple(arms)


def _check_repetitions(families: Families) -> None:
    """Check that no list names a thing twice: it would not be tested twice, and pairs multiply."""
    for family_name in ("difficulty", "cross", "interface", "sequence", "mixture"):
        family = getattr(families, family_name)
        for key, value in vars(family).items() if family is not None else ():
            counts = Counter(value if isinstance(value, tuple) else ())
            repeated = next((item for item, number in counts.items() if number > 1), None)
            if repeated is not None:
                raise InvalidValueError(
                    f"`{family_name}.{key}` names {short_repr(repeated)} more than once"
                )


@dataclass(frozen=True)
class _EnvIds:
    """Writes the ids of the environments of a study."""

    environments: Mapping[str, EnvironmentPlan]

    def plan(self, name: str) -> EnvironmentPlan:
        if name not in self.environments:
            names = self.environments
            raise unknown_name("environment of the study", name, names, "add [environments.NAME]")
        return self.environments[name]

    def tiers(self, name: str) -> tuple[str, ...]:
        return LISTED_TIERS if self.plan(name).lists else TIERS

    def env_id(self, name: str, tier: str = "", interface: str = "") -> str:
        """Return the id of *name* on *tier* through *interface*; an empty one is the plan's."""
        plan = self.plan(name)
        tier = tier or plan.tier
        has_no_tier = tier == ALL_TIERS and not plan.lists
        if tier not in self.tiers(name) and not has_no_tier:
            valid_tiers = [*self.tiers(name), ALL_TIERS]
            raise unknown_name(f"tier of {name}", tier, valid_tiers, "for this environment")
        interface = interface or plan.interface
        parse_interface(interface)
        query = [("tasks", f"{plan.lists}.{tier}.txt")] if plan.lists else []
        query += option_query(plan.options)
        tier = "" if plan.lists or has_no_tier else tier
        preset = interface if interface in PRESETS and tier else ""
        if not preset and interface != "native":
            query.append(("interface", interface))
        return str(EnvId(name, tier, preset, plan.version, tuple(query)))

    def stage(self, name: str, tier: str = "", share: float = 1.0) -> Stage:
        env_id = self.env_id(name, tier)
        return Stage(label(env_id).lower(), (env_id,), share)

    def columns(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the id of each environment as the plan has it."""
        return tuple(self.env_id(name) for name in names)


def is_random(interface: str) -> bool:
    """Return whether *interface* is the text form of one that is sampled for every episode."""
    return interface.split()[:1] == ["random"]


def _difficulty_arms(family: DifficultyFamily, env_ids: _EnvIds) -> list[Arm]:
    return [
        Arm(
            "difficulty",
            _tier_stages(name, arm, family, env_ids),
            _tier_columns(name, family, env_ids),
        )
        for name in family.environments
        for arm in family.arms
        if arm != "medium" or "medium" in env_ids.tiers(name)
    ]


def _tier_columns(name: str, family: DifficultyFamily, env_ids: _EnvIds) -> tuple[str, ...]:
    return tuple(env_ids.env_id(name, tier) for tier in family.tiers or env_ids.tiers(name))


def _tier_stages(
    name: str, arm: str, family: DifficultyFamily, env_ids: _EnvIds
) -> tuple[Stage, ...]:
    if arm == "mixed":
        return (Stage(f"{name.lower()}-mixed", _tier_columns(name, family, env_ids)),)
    tiers = arm.split("-")
    if not set(tiers) <= set(env_ids.tiers(name)):
        valid_arms = [*env_ids.tiers(name), "mixed", "easy-hard"]
        raise unknown_name("difficulty arm", arm, valid_arms, "tiers, or several joined by '-'")
    return tuple(env_ids.stage(name, tier, 1 / len(tiers)) for tier in tiers)


def _cross_arms(family: CrossFamily, env_ids: _EnvIds) -> list[Arm]:
    columns = env_ids.columns(family.environments)
    return [Arm("cross", (env_ids.stage(name),), columns) for name in family.environments]


def _interface_arms(family: InterfaceFamily, env_ids: _EnvIds) -> list[Arm]:
    arms = []
    for name in family.environments:
        tested = family.test or ("native", *PRESETS)
        columns = [env_ids.env_id(name, interface=interface) for interface in tested]
        others = env_ids.columns([other for other in family.elsewhere if other != name])
        for trained in family.train:
            stage = _interface_stage(name, trained, env_ids)
            arms.append(Arm("interface", (stage,), (*columns, *others)))
    return arms


def _interface_stage(name: str, trained: str, env_ids: _EnvIds) -> Stage:
    """Return the stage on *name* through the interfaces of *trained*, joined by ``|``."""
    interfaces = [trained] if is_random(trained) else trained.split("|")
    if not all(interfaces):
        raise InvalidValueError(
            f"`interface.train` has an empty interface between bars: {trained!r}"
        )
    ids = tuple(env_ids.env_id(name, interface=interface) for interface in interfaces)
    if len(interfaces) == 1:
        return Stage(label(ids[0]).lower(), ids)
    native = label(env_ids.env_id(name, interface="native")).lower()
    return Stage(f"{native}-{'+'.join(interfaces)}", ids)


def _sequence_arms(family: SequenceFamily, env_ids: _EnvIds) -> list[Arm]:
    malformed = [pair for pair in family.pairs if len(pair) != 2]
    if malformed:
        raise InvalidValueError(f"A pair is two environments, not {list(malformed[0])!r}")
    sequences = [*family.pairs, *permutations(family.all_pairs_of, 2), *family.orders]
    names = dict.fromkeys(name for sequence in sequences for name in sequence)
    columns = env_ids.columns(list(names))
    return [
        Arm("sequence", tuple(env_ids.stage(name) for name in sequence), columns, every_stage=True)
        for sequence in dict.fromkeys(sequences)
    ]


def _mixture_arms(family: MixtureFamily, env_ids: _EnvIds) -> list[Arm]:
    columns = env_ids.columns(family.environments)
    return [Arm("mixture", (Stage("mixture", columns, family.share),), columns)]


def _custom_arm(custom: CustomArm) -> Arm:
    is_sequence = len(custom.stages) > 1
    stages = tuple(
        Stage(f"{custom.name}-{number}" if is_sequence else custom.name, tuple(ids))
        for number, ids in enumerate(custom.stages, 1)
    )
    return Arm("own", stages, custom.test, every_stage=is_sequence)
