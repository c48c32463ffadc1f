"""The first files of something new: a package with a world that passes its own tests.

What lives here: the files as templates, and the writing of them. What does not: the checks of a
world (`agentgym_gen.testing`).
"""

from agentgym_gen.scaffold.world_package import WorldPackage, write_world_package

__all__ = ["WorldPackage", "write_world_package"]
