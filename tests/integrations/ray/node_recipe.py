"""A recipe that notes on which node of a cluster it is used."""

from __future__ import annotations

from pathlib import Path

import ray
from pretend_study import PretendRecipe

from agentgym_gen.agents import Policy


class NodeRecipe(PretendRecipe):
    """Writes the id of the node into a file whenever a model is loaded.

    Args:
        nodes: The file.
    """

    def __init__(self, nodes: Path) -> None:
        super().__init__()
        self._nodes = nodes

    def load_policy(self, folder: Path) -> Policy:
        """Return the policy of a model, and note where."""
        with self._nodes.open("a", encoding="utf-8") as file:
            file.write(ray.get_runtime_context().get_node_id() + "\n")
        return super().load_policy(folder)
