"""What the library needs of the operating system: files, locks, signals, child processes, imports.

What lives here: atomic writes and the cache folder, bounded reads of untrusted files, locks between
processes and between threads, stop signals, child processes for software that may crash, and facts
about this machine (versions, processors). What does not: anything that knows of worlds, models or
studies.
"""
