"""Versions of installed packages."""

import gymnasium

from agentgym_gen.system.versions import versions


def test_versions_are_those_of_the_installed_packages() -> None:
    """The order of the packages is kept, and None stands for one that is not installed."""
    installed = versions(["gymnasium", "no-such-package"])

    assert list(installed.items()) == [
        ("gymnasium", gymnasium.__version__),
        ("no-such-package", None),
    ]
