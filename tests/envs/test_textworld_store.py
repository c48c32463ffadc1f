"""The cache of TextWorld's games, with a maker that only writes files."""

import os
import pathlib
import threading
from typing import Any

import pytest

import agentgym_gen.envs.textworld.store as stores
from agentgym_gen.cli.main import main
from agentgym_gen.envs.textworld.prepare import make_all
from agentgym_gen.envs.textworld.store import Store
from agentgym_gen.envs.textworld.tasks import Brief, GeneratedTasks
from agentgym_gen.errors import BackendError, DataError, InvalidValueError, UnknownNameError
from agentgym_gen.system.prepare import PrepareRequest, prepare


class Scribe:
    """A workshop that writes the order into the files of the game, 1,000 bytes each."""

    def __init__(self, faulty: str = "") -> None:
        self.orders: list[str] = []
        self._faulty = faulty
        self._busy = threading.Lock()

    def ask(self, order: dict[str, Any]) -> int:
        assert self._busy.acquire(blocking=False), "two orders at once"
        try:
            self.orders.append(order["challenge"])
            if order["challenge"] == self._faulty:
                raise BackendError("it does not compile")
            for name in ("game.z8", "game.json"):
                text = f"{name} {order['candidates'][0]}".ljust(1000)
                (pathlib.Path(order["folder"]) / name).write_text(text)
            return 0
        finally:
            self._busy.release()

    def close(self) -> None:
        self.orders.append("closed")


def brief(index: int = 0) -> Brief:
    """Return what an easy task consists of."""
    return GeneratedTasks().make("easy", "train", index).content


@pytest.fixture
def scribe(monkeypatch: pytest.MonkeyPatch) -> Scribe:
    """A workshop in the place of textworld's."""
    made = Scribe()
    monkeypatch.setattr(stores, "_workshop", lambda process: made)
    return made


def test_a_game_is_made_once(tmp_path: pathlib.Path, scribe: Scribe) -> None:
    """Also for another store of the folder; nothing but the game is left there."""
    first = Store(tmp_path).game(brief())
    second = Store(tmp_path).game(brief())

    assert (first, len(scribe.orders)) == (second, 1)
    assert first.path.with_suffix(".z8").read_text().startswith("game.z8")
    assert list(tmp_path.iterdir()) == [first.path.parent]
    assert Store(tmp_path).has(brief())
    assert not Store(tmp_path).has(brief(1))


@pytest.mark.parametrize("name", ["game.z8", "game.json", "card.json"])
@pytest.mark.parametrize("text", [None, "", "[]", '{"brief": 1}'])
def test_a_broken_game_is_made_again(
    tmp_path: pathlib.Path, scribe: Scribe, name: str, text: str | None
) -> None:
    """Whichever file is gone, cut off or of something else."""
    store = Store(tmp_path)
    kept = store.game(brief())
    file = kept.path.parent / name
    file.unlink() if text is None else file.write_text(text)
    assert not store.has(brief())

    assert store.game(brief()) == kept
    assert len(scribe.orders) == 2


def test_a_foreign_game_is_replaced(tmp_path: pathlib.Path, scribe: Scribe) -> None:
    """Whole files of another task are no game of this one."""
    store = Store(tmp_path)
    other = store.game(brief(1))
    other.path.parent.rename(store.place(brief()))
    mine = store.game(brief())

    assert mine.mark != other.mark
    assert store.has(brief())


def test_a_folder_that_cannot_be_written_is_named(tmp_path: pathlib.Path, scribe: Scribe) -> None:
    """With the variable that names another one; a game that is kept needs no writing."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"Cannot keep games in .*file/games: Not a directory"):
        Store(tmp_path / "file" / "games").game(brief())
    with pytest.raises(DataError, match="environment variable AGENTGYM_GEN_CACHE"):
        Store(tmp_path / "file" / "games").game(brief())

    assert scribe.orders == []


def test_the_games_played_longest_ago_go_first(tmp_path: pathlib.Path, scribe: Scribe) -> None:
    """Down to the limit; the newest stays whatever its size."""
    roomy = Store(tmp_path)
    for index in range(4):
        place = roomy.game(brief(index)).path.parent
        os.utime(place, (index, index))
    os.utime(roomy.place(brief(0)), (9, 9))
    size = roomy.usage()[1] // 4
    tight = Store(tmp_path)
    tight._limit = 3 * size + size // 2
    tight.game(brief(4))

    assert [tight.has(brief(index)) for index in range(5)] == [True, False, False, True, True]
    tight._limit = 1
    tight.game(brief(5))
    assert tight.usage()[0] == 1


def test_a_maker_that_fails_leaves_nothing(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither files nor a lock."""
    monkeypatch.setattr(stores, "_workshop", lambda process: Scribe(faulty="cooking"))
    with pytest.raises(BackendError, match="does not compile"):
        Store(tmp_path).game(brief())

    assert list(tmp_path.iterdir()) == []


def test_threads_that_want_one_game_make_it_once(tmp_path: pathlib.Path, scribe: Scribe) -> None:
    """And two games are not made at once: one workshop takes one order."""
    store, found = Store(tmp_path), []
    threads = [
        threading.Thread(target=lambda n=n: found.append(store.game(brief(n % 2))))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert sorted(scribe.orders) == ["coin_collector", "cooking"]


def test_many_games_are_made_side_by_side(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By as many workshops as are asked for, which are closed; faults are told at the end."""
    import agentgym_gen.envs.textworld.prepare as preparing

    scribes: list[Scribe] = []

    def hired() -> Scribe:
        scribes.append(Scribe(faulty="simple"))
        return scribes[-1]

    monkeypatch.setattr(preparing, "new_workshop", hired)
    tasks = [GeneratedTasks().make("easy", "train", index) for index in range(8)]
    with pytest.raises(BackendError, match=r"2 games could not be made: textworld/easy/train/\d"):
        make_all(Store(tmp_path), tasks, workers=3)

    assert Store(tmp_path).usage()[0] == 6
    assert [one.orders[-1] for one in scribes] == ["closed"] * 3
    assert make_all(Store(tmp_path), tasks[:3], workers=10**9) == 0
    assert len(scribes) == 3 + 3, "more workshops than games"


def test_preparing_is_told(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was asked for, what was made, and what is in the cache, by the command line."""
    import agentgym_gen.envs.textworld.prepare as preparing

    monkeypatch.setenv("AGENTGYM_GEN_CACHE", str(tmp_path))
    monkeypatch.setattr(preparing, "new_workshop", Scribe)
    assert main(["data", "textworld", "--prepare", "2", "--tier", "easy"]) == 0
    assert main(["data", "textworld", "--prepare", "1", "--split", "train"]) == 0
    first, second = capsys.readouterr().out.split("6 games, 2 of each")[1].split("3 games, 1 of")

    assert "6 made, 0 were there" in first
    assert "2 made, 1 were there" in second
    assert f"8 games with 0 MB in {tmp_path / 'textworld'}" in second


def test_wrong_orders_are_named() -> None:
    """A name that is none, a part of what is whole, and a wrong split."""
    with pytest.raises(UnknownNameError, match="did you mean 'textworld'"):
        prepare("textwold", print)
    with pytest.raises(InvalidValueError, match="'smollm2' is prepared as a whole"):
        prepare("smollm2", print, PrepareRequest(tasks_per_split=3))
    with pytest.raises(UnknownNameError, match="Unknown split 'trian'; did you mean 'train'"):
        prepare("textworld", print, PrepareRequest(tasks_per_split=1, split="trian"))
