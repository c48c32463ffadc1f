"""The first observations of every id are those that were recorded on another machine."""

import json

import pytest

from tools.golden_episodes import GOLDEN, bundled_ids, digest, plain_id

GOLDEN = json.loads(GOLDEN.read_text(encoding="utf-8"))
TIERS = list(dict.fromkeys(map(plain_id, bundled_ids())))


def test_every_id_is_recorded() -> None:
    """The golden file has every id and no other; ``python -m tools.golden_episodes`` records it."""
    assert list(GOLDEN) == bundled_ids()


@pytest.mark.slow
@pytest.mark.parametrize("plain", TIERS)
def test_every_id_shows_the_recorded_observations(plain: str) -> None:
    """Every interface of a tier has its recorded hash; another hash needs another version."""
    ids = [env_id for env_id in bundled_ids() if plain_id(env_id) == plain]

    assert {env_id: digest(env_id) for env_id in ids} == {i: GOLDEN[i] for i in ids}
