"""The command line as a module: ``python -m agentgym_gen``."""

import sys

from agentgym_gen.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
