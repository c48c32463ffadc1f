"""Checks that an author runs on a world or an environment of their own.

What lives here: the contracts of an environment id, of an interface and of a world, as functions
that raise a `ContractError` with the sentence that does not hold. What does not: the tests of this
library, which call these checks for every registered id.
"""

from agentgym_gen.testing.contract import ContractError
from agentgym_gen.testing.env_checks import check_env, check_leaks
from agentgym_gen.testing.interface_checks import NONSENSE
from agentgym_gen.testing.world_checks import check_world

__all__ = ["NONSENSE", "ContractError", "check_env", "check_leaks", "check_world"]
