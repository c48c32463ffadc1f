"""What Python imports at the start of a victim, whatever its command is."""

from faults.fault import obey

obey()
