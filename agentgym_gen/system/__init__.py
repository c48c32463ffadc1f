"""What the operating system is asked for: files, locks, signals, child processes, imports.

What lives here: atomic writes, bounded reads of files that others wrote, locks between processes
and threads, signals of the command line, and processes for software that may crash. What does not:
anything that knows of worlds, models or studies.
"""
