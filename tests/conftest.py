"""Settings that every test runs under."""

import os

# Two threads that wait for each other by spinning are slower than one on a small machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# No test may depend on a download.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
