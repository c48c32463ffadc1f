"""Concurrent policies: each episode asks on its own, and no order of answers changes anything."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from faults.processes import python_path
from systems import needs

from agentgym_gen import Registered, register
from agentgym_gen.agents import (
    Completion,
    ConcurrentPolicy,
    Episode,
    PromptStyle,
    RandomPolicy,
    Request,
    Session,
    Trajectory,
    run,
    run_async,
)
from agentgym_gen.env.registration import BUNDLED
from agentgym_gen.errors import (
    BackendError,
    ContextLimitError,
    DataError,
    EpisodeOverError,
    InvalidValueError,
    PolicyError,
    UnknownNameError,
)
from agentgym_gen.study.results.failures import failure_modes
from agentgym_gen.world import EndReason

ENV, TASK = "rftgen/Corridor-medium-v0", "corridor/medium/train/1"
LONG = 30.0
"""More seconds than any wait here takes: a wait that is over by then has not been in vain."""


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def episodes(number: int, max_turns: int = 6) -> list[Episode]:
    """Return episodes of the 50 tasks that there are, in turn."""
    return [
        Episode(ENV, f"corridor/medium/train/{n % 50}", n // 50, {"max_turns": max_turns})
        for n in range(number)
    ]


class Answering:
    """Answers as `RandomPolicy` does, after what *before* does with the request."""

    def __init__(self, before: Callable[[Request], object] = lambda request: None) -> None:
        self.before = before

    def answer(self, request: Request) -> Completion:
        """Return a random action."""
        self.before(request)
        return RandomPolicy().act([request])[0]


def fail(error: BaseException, *numbers: int, turn: int = 0) -> Answering:
    """Return a policy whose answers to the episodes *numbers* fail at *turn*."""

    def before(request: Request) -> None:
        if request.episode in numbers and request.turn == turn:
            raise error

    return Answering(before)


@pytest.mark.parametrize("workers", [1, 3, 12])
def test_the_order_of_the_answers_changes_nothing(workers: int) -> None:
    """Episodes whose answers overtake each other have the trajectories of a batched policy."""
    delays = Answering(lambda r: time.sleep((r.episode * 7 + r.turn * 3) % 5 / 500))
    expected = run(episodes(12), RandomPolicy())

    assert run(episodes(12), delays, max_concurrent=workers) == expected


def test_every_environment_can_be_played_in_threads() -> None:
    """Episodes of all environments at once are those that a batched policy plays."""
    mixed = [
        Episode(f"rftgen/{name}-easy-v0", f"{name.lower()}/easy/test/{n}", options={"max_turns": 5})
        for n in range(3)
        for name in (bundled.name for bundled in BUNDLED if bundled.extra is None)
    ]

    assert run(mixed, Answering(), max_concurrent=16) == run(mixed, RandomPolicy())


def test_no_episode_waits_for_the_answer_of_another() -> None:
    """All others end while the first one waits for its first answer."""
    others_ended = threading.Event()
    ended: list[Trajectory] = []

    def before(request: Request) -> None:
        if request.episode == 0 and request.turn == 0:
            assert others_ended.wait(LONG)

    def on_end(trajectory: Trajectory) -> None:
        ended.append(trajectory)
        if len(ended) == 7:
            others_ended.set()

    played = run(episodes(8), Answering(before), max_concurrent=2, on_end=on_end)

    assert ended[-1] is played[0]
    assert [t.task_id for t in played] == [e.task_id for e in episodes(8)]


def test_as_many_answers_are_under_way_as_may_be() -> None:
    """Three workers meet in an answer, and a fourth one never joins them."""
    meeting, lock, inside, most = threading.Barrier(3), threading.Lock(), 0, 0

    def before(request: Request) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        if request.episode < 3 and request.turn == 0:
            meeting.wait(LONG)
        time.sleep(0.001)
        with lock:
            inside -= 1

    run(episodes(9), Answering(before), max_concurrent=3)

    assert most == 3


def test_a_policy_with_an_answer_is_concurrent() -> None:
    """Its `act` is not called, and a policy without an `answer` is batched."""

    class Both(Answering):
        def act(self, requests: Sequence[Request]) -> list[Completion]:
            raise AssertionError

    assert len(run(episodes(2), Both())) == 2
    assert not isinstance(RandomPolicy(), ConcurrentPolicy)


def test_a_failed_answer_ends_its_episode_only() -> None:
    """The episode keeps its turns and the error, and the others are played as ever."""
    played = run(episodes(4), fail(BackendError("The line is dead"), 2, turn=3))
    expected = run(episodes(4), RandomPolicy())
    broken = played[2]

    assert [played[n] for n in (0, 1, 3)] == [expected[n] for n in (0, 1, 3)]
    assert broken.turns == expected[2].turns[:3]
    assert broken.last_observation == expected[2].turns[3].observation
    assert (broken.end_reason, broken.error) == ("policy_error", "The line is dead")
    assert (broken.success, expected[2].error) == (False, "")


def test_a_prompt_that_is_too_long_truncates_its_episode() -> None:
    """It counts as no failure, however many there are."""
    policy = fail(ContextLimitError("Too long"), *range(5))
    played = run(episodes(5), policy, max_failures=1)

    assert {(t.end_reason, t.error) for t in played} == {("context_limit", "Too long")}


def test_an_unanswered_episode_has_no_failure_mode() -> None:
    """A policy error is no mistake of the model; a full context ends a model that wanders."""
    broken, full = (
        run(episodes(1), fail(kind("x"), 0, turn=2))[0]
        for kind in (BackendError, ContextLimitError)
    )

    assert failure_modes(broken) == ()
    assert "wanders" in failure_modes(full)


def test_too_many_failures_in_a_row_stop_the_run() -> None:
    """One sentence has their number and the last of them; what ended before was handed over."""
    ended: list[Trajectory] = []
    policy = fail(BackendError("The line is dead"), *range(4, 20))
    with pytest.raises(PolicyError) as caught:
        run(episodes(20), policy, max_concurrent=1, max_failures=3, on_end=ended.append)

    sentence = "3 answers in a row failed, and the run stops; the last: The line is dead"
    assert str(caught.value) == sentence
    assert [t.end_reason for t in ended[4:]] == ["policy_error"] * 2


def test_an_answer_between_failures_begins_a_new_row() -> None:
    """Every other episode fails, which is never two in a row."""
    policy = fail(BackendError("The line is dead"), *range(0, 20, 2))
    played = run(episodes(20), policy, max_concurrent=1, max_failures=2)

    assert [t.end_reason == "policy_error" for t in played] == [True, False] * 10


def test_a_policy_that_cannot_go_on_ends_the_run() -> None:
    """Its error is raised as it is, and so is any error of a policy that has a bug."""
    with pytest.raises(PolicyError, match="Wrong key"):
        run(episodes(9), fail(PolicyError("Wrong key"), 3))
    with pytest.raises(ZeroDivisionError):
        run(episodes(9), fail(ZeroDivisionError(), 3))
    with pytest.raises(SystemExit):
        run(episodes(9), fail(SystemExit(), 3))


def test_nothing_is_asked_after_the_end_of_a_run() -> None:
    """An error of `on_end` reaches the caller, and the other episodes are not played on."""
    answers: list[Request] = []

    def on_end(trajectory: Trajectory) -> None:
        raise DataError("The disk is full")

    def before(request: Request) -> None:
        answers.append(request)
        time.sleep(0.002)

    with pytest.raises(DataError, match="The disk is full"):
        run(episodes(500), Answering(before), max_concurrent=2, on_end=on_end)
    time.sleep(0.2)
    number = len(answers)
    time.sleep(0.2)

    assert len(answers) == number < 500


def test_trajectories_are_handed_over_in_the_thread_of_the_caller() -> None:
    """`on_end` needs no lock."""
    threads: set[int] = set()
    run(episodes(6), Answering(), on_end=lambda _: threads.add(threading.get_ident()))

    assert threads == {threading.get_ident()}


def test_a_policy_may_forget_what_it_kept_for_an_episode() -> None:
    """`forget` is called once for each episode, also for one that failed."""
    forgotten: list[int] = []
    policy = fail(BackendError("The line is dead"), 1)
    policy.forget = forgotten.append  # type: ignore[attr-defined]
    run(episodes(4), policy)

    assert sorted(forgotten) == [0, 1, 2, 3]


def test_wrong_arguments_are_named() -> None:
    """No worker, no failure allowed, and an unknown id are one sentence each."""
    with pytest.raises(InvalidValueError, match="`max_concurrent` is at least 1, not 0"):
        run(episodes(1), Answering(), max_concurrent=0)
    with pytest.raises(InvalidValueError, match="`max_failures` is at least 1, not 0"):
        run(episodes(1), Answering(), max_failures=0)
    with pytest.raises(UnknownNameError, match="did you mean 'rftgen/Corridor-medium-v0'"):
        run([Episode("rftgen/Corridor-mediun-v0", TASK)], Answering())
    assert run([], Answering()) == []


@needs("POSIX", "SIGINT for one process")
def test_an_interrupt_ends_a_run_whose_answers_hang(tmp_path: Path) -> None:
    """Ctrl-C does not wait for an answer that takes five minutes."""
    program = tmp_path / "hang.py"
    program.write_text(
        "import sys, time\n"
        "from agentgym_gen import Completion, Episode, run\n"
        "class Hanging:\n"
        "    def answer(self, request):\n"
        "        print('asked', flush=True)\n"
        "        time.sleep(300)\n"
        "        return Completion('')\n"
        "try:\n"
        "    run([Episode('rftgen/Sokoban-easy-v0', 'sokoban/easy/test/1')], Hanging())\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(130)\n"
    )
    variables = {**os.environ, "PYTHONPATH": python_path()}
    with subprocess.Popen(
        [sys.executable, program], stdout=subprocess.PIPE, text=True, env=variables
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "asked\n"
            process.send_signal(signal.SIGINT)
            assert process.wait(LONG) == 130
        finally:
            process.kill()


def test_the_event_loop_goes_on_while_episodes_are_played() -> None:
    """Answers that need the loop arrive, and the trajectories are those of `run`."""

    async def play() -> list[Trajectory]:
        loop = asyncio.get_running_loop()

        async def tick() -> None:
            await asyncio.sleep(0)

        ask = Answering(lambda _: asyncio.run_coroutine_threadsafe(tick(), loop).result(LONG))
        return await run_async(episodes(6), ask)

    assert asyncio.run(play()) == run(episodes(6), RandomPolicy())


def test_run_async_hands_over_in_the_event_loop() -> None:
    """`on_end` runs in the thread of the loop, for a batched policy as well."""

    async def play() -> set[int]:
        threads: set[int] = set()
        for policy in (Answering(), RandomPolicy()):
            await run_async(
                episodes(3), policy, on_end=lambda _: threads.add(threading.get_ident())
            )
        return threads

    assert asyncio.run(play()) == {threading.get_ident()}


def test_run_async_raises_what_run_raises() -> None:
    """An error of the policy, of an argument and of `on_end` reach the task that awaits."""

    def full(_: Trajectory) -> None:
        raise DataError("The disk is full")

    with pytest.raises(PolicyError, match="Wrong key"):
        asyncio.run(run_async(episodes(3), fail(PolicyError("Wrong key"), 1)))
    with pytest.raises(InvalidValueError, match="`max_concurrent`"):
        asyncio.run(run_async(episodes(3), RandomPolicy(), max_concurrent=0))
    with pytest.raises(DataError, match="The disk is full"):
        asyncio.run(run_async(episodes(3), Answering(), on_end=full))


class Batched:
    """Answers all requests at once as `Answering` does."""

    def __init__(self, before: Callable[[Request], object]) -> None:
        self.single = Answering(before)

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a random action for each request."""
        return [self.single.answer(request) for request in requests]


@pytest.mark.parametrize("kind", [Answering, Batched])
def test_a_cancelled_task_asks_no_more(kind: type[Answering] | type[Batched]) -> None:
    """After the cancellation no turn begins, though 500 episodes wait."""
    answers: list[Request] = []

    def before(request: Request) -> None:
        answers.append(request)
        time.sleep(0.002)

    async def play() -> None:
        task = asyncio.create_task(run_async(episodes(500), kind(before), max_concurrent=2))
        while len(answers) < 5:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(play())
    time.sleep(0.3)
    number = len(answers)
    time.sleep(0.2)

    assert len(answers) == number < 500


def test_a_session_can_be_ended_from_outside() -> None:
    """It is over with the reason, pays no more, and can be started again."""
    session = Session(ENV, TASK, style=PromptStyle("action"))
    session.start()
    session.reply("wait")
    session.end(EndReason.POLICY_ERROR, "The line is dead")

    assert (session.done, session.result().end_reason) == (True, "policy_error")
    assert session.trajectory().error == "The line is dead"
    with pytest.raises(EpisodeOverError, match="over"):
        session.reply("wait")
    with pytest.raises(EpisodeOverError, match="over"):
        session.end(EndReason.POLICY_ERROR)
    session.start()
    assert (session.done, session.result().turns) == (False, 0)
    while not session.done:
        session.reply("wait")
    assert session.trajectory().error == ""
