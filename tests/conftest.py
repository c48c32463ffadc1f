"""Settings that every test runs under."""

import os
from pathlib import Path

# Two threads that wait for each other by spinning are slower than one on a small machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# No test may depend on a download.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# What is made for tests stays with the other caches of this folder; CI begins with an empty one.
os.environ.setdefault(
    "AGENTGYM_GEN_CACHE", str(Path(__file__).parents[1] / ".pytest_cache" / "agentgym_gen")
)
