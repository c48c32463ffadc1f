"""Randomized interfaces: an interface is sampled for every episode."""

from collections import Counter

import numpy as np
import pytest

from agentgym_gen import Interface, Randomized, TextEnv
from agentgym_gen.agents.policy import ExpertPolicy
from agentgym_gen.agents.rollout import Episode, group_by_task, run
from agentgym_gen.errors import InvalidValueError, UnknownNameError
from agentgym_gen.interface import parse_interface

WORLD = "toy_world:CorridorWorld"
TASK = "corridor/easy/train/3"
SMALL = Randomized(
    {"wording": ["native", "symbols"], "syntax": ["native", "json"]}, held_out=["symbols+json"]
)


def sample_counts(randomized: Randomized, number: int) -> Counter[str]:
    """Return how often each interface is among *number* samples."""
    rng = np.random.default_rng(0)
    return Counter(str(randomized.sample(rng)) for _ in range(number))


def test_every_interface_of_the_domain_is_sampled_but_what_is_held_out() -> None:
    """Three interfaces share 300 samples about equally, and the one held out has none."""
    counts = sample_counts(SMALL, 300)

    assert set(counts) == {"native", "symbols", "json"}
    assert min(counts.values()) > 70


def test_what_is_held_out_is_held_out_with_everything_else() -> None:
    """No sample has the menu, whatever its other axes are, and none is native in all axes."""
    randomized = Randomized(held_out=["menu", "native"])
    rng = np.random.default_rng(0)
    samples = [randomized.sample(rng) for _ in range(300)]

    assert not any(sample.syntax == "menu" or sample == Interface() for sample in samples)
    assert {sample.listing for sample in samples} == {"native", "always", "first", "never"}


def test_a_value_that_is_named_twice_is_sampled_twice_as_often() -> None:
    """A value that stands twice in the list of an axis is sampled about twice as often."""
    counts = sample_counts(Randomized({"syntax": ["native", "native", "json"]}), 300)

    assert 1.5 < counts["native"] / counts["json"] < 2.6


def test_permits_says_what_may_be_sampled() -> None:
    """Interfaces that are held out or outside the domain are not permitted."""
    specs = ["native", "symbols", "json", "symbols+json", "menu", "renamed"]

    assert [SMALL.permits(Interface.parse(spec)) for spec in specs] == [True] * 3 + [False] * 3


@pytest.mark.parametrize(
    ("randomized", "text"),
    [
        (Randomized(), "random"),
        (Randomized(held_out=["menu", "symbols+json"]), "random without=menu,symbols+json"),
        (SMALL, "random wording=native|symbols syntax=native|json without=symbols+json"),
        (
            Randomized({"distractors": [0, "recipe"], "distractor_chance": [0.5, 1.0]}),
            "random distractors=0|recipe distractor_chance=0.5|1.0",
        ),
    ],
)
def test_its_text_reads_back(randomized: Randomized, text: str) -> None:
    """A randomized interface has a text, and parsing the text gives it back."""
    assert str(randomized) == text
    assert parse_interface(text) == randomized


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("random menu", "Unknown word after 'random': 'menu'"),
        ("random sintax=json", "Unknown interface axis 'sintax'; did you mean 'syntax'"),
        ("random syntax=jsn", "Unknown value of interface axis `syntax`: 'jsn'"),
        ("random without=mnu", "Unknown interface 'mnu'; did you mean 'menu'"),
        ("random syntax=menu without=menu", "could draw is held out"),
        ("randm", "Unknown interface 'randm'"),
    ],
)
def test_a_wrong_text_is_one_clear_error(text: str, message: str) -> None:
    """The error says what is wrong with which value."""
    with pytest.raises(InvalidValueError) as error:
        parse_interface(text)

    assert message in str(error.value)


def test_a_wrong_domain_is_one_clear_error() -> None:
    """A text instead of a list of values, and an unknown axis, are errors that name them."""
    with pytest.raises(InvalidValueError, match="`syntax` is drawn from a list of values"):
        Randomized({"syntax": "json"})
    with pytest.raises(InvalidValueError, match="`held_out` is a list of interfaces"):
        Randomized(held_out="menu")
    with pytest.raises(UnknownNameError, match="interface axis 'words'"):
        Randomized({"words": ["native"]})


def test_an_empty_domain_is_refused() -> None:
    """Its text would read back as all interfaces."""
    with pytest.raises(InvalidValueError, match="`domain` names one axis or more"):
        Randomized({})


def test_an_interface_is_sampled_for_every_episode() -> None:
    """Episodes have different interfaces, and a seed gives the same ones again."""

    def tasks_and_interfaces() -> list[tuple[str, str]]:
        env = TextEnv(WORLD, interface=SMALL)
        infos = [env.reset(seed=1)[1], *(env.reset()[1] for _ in range(30))]
        return [(info["task_id"], info["interface"]) for info in infos]

    pairs = tasks_and_interfaces()

    assert pairs == tasks_and_interfaces()
    assert {interface for _, interface in pairs} == {"native", "symbols", "json"}


def test_a_task_and_an_index_name_one_interface() -> None:
    """A named task has index 0 unless another is given, and each index names one interface."""

    def interface(**options: object) -> str:
        env = TextEnv(WORLD, interface=str(SMALL))
        return str(env.reset(options={"task_id": TASK, **options})[1]["interface"])

    assert interface() == interface(interface_index=0)
    assert len({interface(interface_index=index) for index in range(20)}) == 3


def test_the_interface_of_the_episode_is_named() -> None:
    """The environment and every `info` name the interface; a negative index is an error."""
    env = TextEnv(WORLD, interface=Randomized({"syntax": ["json"]}))
    with pytest.raises(InvalidValueError, match="`interface_index` is a number from 0 on"):
        env.reset(options={"interface_index": -1})
    _, info = env.reset(seed=0)
    later = env.step("wait")[4]

    assert env.interface == Interface(syntax="json")
    assert (info["interface"], later["interface"]) == ("json", "json")


def test_a_group_of_one_task_has_one_interface() -> None:
    """Episodes of one task and one interface index are a group of their own."""
    options = {"interface": "random without=menu"}
    task = "textcraft/easy/train/3"
    episodes = [
        Episode("rftgen/TextCraft-easy-v0", task, sample, options, interface_index)
        for interface_index in range(3)
        for sample in range(4)
    ]
    grouped = list(group_by_task(run(episodes, ExpertPolicy())))

    assert [len(group) for group in grouped] == [4] * 3
    assert all(trajectory.success for group in grouped for trajectory in group)
