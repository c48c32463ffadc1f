"""Python imports this module when a program of these tests starts, whatever its command is."""

from faults.default_signals import restore_default_handlers
from faults.fault import install_from_environment

restore_default_handlers()
install_from_environment()
