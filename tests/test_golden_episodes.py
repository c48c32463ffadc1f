"""What the tasks of every id show first is what they showed on the machine that recorded it."""

import json

import pytest

from tools.golden_episodes import GOLDEN, bundled_ids, digest, plain_id

GOLDEN = json.loads(GOLDEN.read_text(encoding="utf-8"))
TIERS = list(dict.fromkeys(map(plain_id, bundled_ids())))


def test_every_id_is_recorded() -> None:
    """And no other; ``python -m tools.golden_episodes`` records anew."""
    assert list(GOLDEN) == bundled_ids()


@pytest.mark.slow
@pytest.mark.parametrize("plain", TIERS)
def test_every_id_shows_what_it_showed(plain: str) -> None:
    """Through every interface of a tier; a wanted change raises the version of the ids."""
    ids = [env_id for env_id in bundled_ids() if plain_id(env_id) == plain]

    assert {env_id: digest(env_id) for env_id in ids} == {i: GOLDEN[i] for i in ids}
