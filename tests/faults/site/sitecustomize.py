"""Python imports this module when a program of these tests starts, whatever its command is."""

from faults.fault import install_from_environment

install_from_environment()
