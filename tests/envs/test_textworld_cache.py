"""The cache of TextWorld's games, with a builder that only writes files."""

import os
import pathlib
import threading
from typing import Any

import pytest

import agentgym_gen.envs.textworld.games.cache as game_cache
from agentgym_gen.cli.main import main
from agentgym_gen.envs.textworld.games.cache import GameCache
from agentgym_gen.envs.textworld.prepare import build_all
from agentgym_gen.envs.textworld.tasks import GameSpec, GeneratedTasks
from agentgym_gen.errors import BackendError, DataError, InvalidValueError, UnknownNameError
from agentgym_gen.system.prepare import PrepareRequest, prepare


class FakeBuilder:
    """A builder that writes the request into the files of the game, 1,000 bytes each."""

    def __init__(self, faulty: str = "") -> None:
        self.requests: list[str] = []
        """The challenge of each request, and ``closed``."""
        self._faulty = faulty
        self._busy = threading.Lock()

    def ask(self, request: dict[str, Any]) -> int:
        assert self._busy.acquire(blocking=False), "two requests at once"
        try:
            self.requests.append(request["challenge"])
            if request["challenge"] == self._faulty:
                raise BackendError("it does not compile")
            for name in ("game.z8", "game.json"):
                text = f"{name} {request['candidates'][0]}".ljust(1000)
                (pathlib.Path(request["folder"]) / name).write_text(text)
            return 0
        finally:
            self._busy.release()

    def close(self) -> None:
        self.requests.append("closed")


def spec(index: int = 0) -> GameSpec:
    """Return the specification of the game of an easy task."""
    return GeneratedTasks().make("easy", "train", index).content


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> FakeBuilder:
    """A builder in the place of textworld's."""
    fake = FakeBuilder()
    monkeypatch.setattr(game_cache, "_shared_builder", lambda process: fake)
    return fake


def test_a_game_is_built_once(tmp_path: pathlib.Path, builder: FakeBuilder) -> None:
    """Two caches of one folder build a game once, and leave nothing but the game there."""
    first = GameCache(tmp_path).game(spec())
    second = GameCache(tmp_path).game(spec())

    assert (first, len(builder.requests)) == (second, 1)
    assert first.path.with_suffix(".z8").read_text().startswith("game.z8")
    assert list(tmp_path.iterdir()) == [first.path.parent]
    assert GameCache(tmp_path).has(spec())
    assert not GameCache(tmp_path).has(spec(1))


@pytest.mark.parametrize("name", ["game.z8", "game.json", "card.json"])
@pytest.mark.parametrize("text", [None, "", "[]", '{"brief": 1}'])
def test_a_broken_game_is_built_again(
    tmp_path: pathlib.Path, builder: FakeBuilder, name: str, text: str | None
) -> None:
    """A game with a missing, empty or foreign file is built again."""
    cache = GameCache(tmp_path)
    game = cache.game(spec())
    file = game.path.parent / name
    file.unlink() if text is None else file.write_text(text)
    assert not cache.has(spec())

    assert cache.game(spec()) == game
    assert len(builder.requests) == 2


def test_a_foreign_game_is_replaced(tmp_path: pathlib.Path, builder: FakeBuilder) -> None:
    """Complete files of another task do not count as the game of this one."""
    cache = GameCache(tmp_path)
    foreign = cache.game(spec(1))
    foreign.path.parent.rename(cache.folder_of(spec()))
    rebuilt = cache.game(spec())

    assert rebuilt.sha256 != foreign.sha256
    assert cache.has(spec())


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: pathlib.Path, builder: FakeBuilder
) -> None:
    """The error names the folder, and the variable that sets another one."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"Cannot keep games in .*file/games: Not a directory"):
        GameCache(tmp_path / "file" / "games").game(spec())
    with pytest.raises(DataError, match="environment variable AGENTGYM_GEN_CACHE"):
        GameCache(tmp_path / "file" / "games").game(spec())

    assert builder.requests == []


def test_the_games_played_longest_ago_go_first(
    tmp_path: pathlib.Path, builder: FakeBuilder
) -> None:
    """Old games are removed down to the limit; the newest stays whatever its size."""
    large = GameCache(tmp_path)
    for index in range(4):
        folder = large.game(spec(index)).path.parent
        os.utime(folder, (index, index))
    os.utime(large.folder_of(spec(0)), (9, 9))
    size = large.usage()[1] // 4
    small = GameCache(tmp_path)
    small._limit = 3 * size + size // 2
    small.game(spec(4))

    assert [small.has(spec(index)) for index in range(5)] == [True, False, False, True, True]
    small._limit = 1
    small.game(spec(5))
    assert small.usage()[0] == 1


def test_what_others_keep_in_the_cache_folder_stays(
    tmp_path: pathlib.Path, builder: FakeBuilder
) -> None:
    """`AGENTGYM_GEN_CACHE` may name a folder of the user's: only games are ever removed there."""
    names = ["photos", "cooking-2024", ".lock-photos", ".making-photos", ".making-"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").write_text("x" * 1000)
    cache = GameCache(tmp_path)
    cache._limit = 1
    cache.game(spec(0))
    cache.game(spec(1))
    cache.remove_leftovers()

    assert sorted(path.parent.name for path in tmp_path.glob("*/mine")) == sorted(names)
    assert cache.usage()[0] == 1


def test_a_builder_that_fails_leaves_nothing(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed build leaves neither files nor a lock."""
    monkeypatch.setattr(
        game_cache, "_shared_builder", lambda process: FakeBuilder(faulty="cooking")
    )
    with pytest.raises(BackendError, match="does not compile"):
        GameCache(tmp_path).game(spec())

    assert list(tmp_path.iterdir()) == []


def test_threads_that_need_one_game_build_it_once(
    tmp_path: pathlib.Path, builder: FakeBuilder
) -> None:
    """Eight threads build two games, one after the other: a builder takes one request."""
    cache, games = GameCache(tmp_path), []
    threads = [
        threading.Thread(target=lambda n=n: games.append(cache.game(spec(n % 2)))) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(games) == 8
    assert sorted(builder.requests) == ["coin_collector", "cooking"]


def test_many_games_are_built_side_by_side(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The builders are as many as asked for and are closed; faults are raised at the end."""
    import agentgym_gen.envs.textworld.prepare as preparing

    builders: list[FakeBuilder] = []

    def new_builder() -> FakeBuilder:
        builders.append(FakeBuilder(faulty="simple"))
        return builders[-1]

    monkeypatch.setattr(preparing, "new_builder", new_builder)
    tasks = [GeneratedTasks().make("easy", "train", index) for index in range(8)]
    with pytest.raises(BackendError, match=r"2 games could not be made: textworld/easy/train/\d"):
        build_all(GameCache(tmp_path), tasks, workers=3)

    assert GameCache(tmp_path).usage()[0] == 6
    assert [builder.requests[-1] for builder in builders] == ["closed"] * 3
    assert build_all(GameCache(tmp_path), tasks[:3], workers=10**9) == 0
    assert len(builders) == 3 + 3, "more builders than games"


def test_preparing_is_reported(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command line prints what was asked for, what was built and what the cache has."""
    import agentgym_gen.envs.textworld.prepare as preparing

    monkeypatch.setenv("AGENTGYM_GEN_CACHE", str(tmp_path))
    monkeypatch.setattr(preparing, "new_builder", FakeBuilder)
    assert main(["data", "textworld", "--prepare", "2", "--tier", "easy"]) == 0
    assert main(["data", "textworld", "--prepare", "1", "--split", "train"]) == 0
    first, second = capsys.readouterr().out.split("6 games, 2 of each")[1].split("3 games, 1 of")

    assert "6 made, 0 were there" in first
    assert "2 made, 1 were there" in second
    assert f"8 games with 0 MB in {tmp_path / 'textworld'}" in second


def test_wrong_requests_are_named() -> None:
    """An unknown name, a part of indivisible data and an unknown split are errors."""
    with pytest.raises(UnknownNameError, match="did you mean 'textworld'"):
        prepare("textwold", print)
    with pytest.raises(InvalidValueError, match="'smollm2' is prepared as a whole"):
        prepare("smollm2", print, PrepareRequest(tasks_per_split=3))
    with pytest.raises(UnknownNameError, match="Unknown split 'trian'; did you mean 'train'"):
        prepare("textworld", print, PrepareRequest(tasks_per_split=1, split="trian"))
