"""``agentgym-gen view``: episodes in the browser."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from contextlib import suppress

from agentgym_gen.cli.arguments import path
from agentgym_gen.cli.sharing.serve import port
from agentgym_gen.cli.terminal import print_line
from agentgym_gen.errors import InvalidValueError


def add_view(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``view``."""
    paths = "a folder of eval, study or train, the stem of a calibration, or a file of trajectories"
    parser.add_argument("paths", nargs="+", type=path, metavar="PATH", help=paths)
    export = "write a static folder instead, which needs no server"
    parser.add_argument("--export", type=path, metavar="FOLDER", help=export)
    again = "replace an earlier export in that folder"
    parser.add_argument("--replace", action="store_true", help=again)
    actions = (
        "export what was admissible at every turn, too, for which every episode is played again"
    )
    parser.add_argument("--admissible", action="store_true", help=actions)
    parser.add_argument("--title", help="the title of the page; default the names of the paths")
    parser.add_argument(
        "--port", type=port, default=0, metavar="N", help="the port; default a free one"
    )
    parser.add_argument("--no-open", action="store_true", help="do not open a browser")
    parser.set_defaults(command=view)


def view(options: argparse.Namespace) -> None:
    """Write the folder, or serve the pages until a stop signal comes."""
    from agentgym_gen.viewer import View, export_view, open_sources, serve_view

    if options.export is None and (options.replace or options.admissible):
        raise InvalidValueError("`--replace` and `--admissible` belong to an export; add --export")
    sources = open_sources(options.paths)
    title = options.title or ", ".join(source.name for source in sources)
    for note in (note for source in sources for note in source.notes):
        print_line(f"Note: {note}")
    if options.export is None:
        episodes = View(sources, admissible=True)
        open_page = None if options.no_open or not _has_browser() else webbrowser.open
        serve_view(episodes, title=title, port=options.port, log=print_line, open_page=open_page)
        return
    episodes = View(sources, admissible=options.admissible)
    page = export_view(
        episodes,
        options.export,
        title=title,
        admissible=options.admissible,
        replace=options.replace,
    )
    print_line(f"{episodes.number} episodes in {page}")


def _has_browser() -> bool:
    """Return whether a window can be opened; a browser of the terminal would take it over."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    with suppress(webbrowser.Error):
        webbrowser.get()
        return True
    return False
