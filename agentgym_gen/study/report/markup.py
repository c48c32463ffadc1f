"""HTML from templates, in which every value is escaped unless it is HTML already.

HTML has a type of its own, `Html`: only a template makes it, so a text from a file cannot pass for
it. The templates lie in ``templates/``. They need jinja2, which the extra ``study`` brings.
"""

from __future__ import annotations

from functools import lru_cache, partial
from importlib import resources
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from agentgym_gen.describe.printable import printable
from agentgym_gen.errors import InvalidValueError, missing_extra
from agentgym_gen.study.report.definitions import with_definitions

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

__all__ = ["Html", "check_html", "check_installed", "own_html", "render", "render_from"]

PACKAGE = "agentgym_gen.study.report"


@runtime_checkable
class Html(Protocol):
    """Text that is HTML by its type, as `markupsafe.Markup` and the picture of a chart are."""

    def __html__(self) -> str:
        """Return the text."""


def render(template: str, **values: object) -> Markup:
    """Return the file *template* of ``templates/``, filled with *values*.

    Args:
        template: The name of the file, such as ``"table.html"``.
        values: Its variables. What is not `Html` is escaped, and its control characters are shown.

    Raises:
        MissingExtraError: if jinja2 is not installed.
    """
    return render_from(PACKAGE, "templates", template, **values)


def render_from(package: str, folder: str, template: str, /, **values: object) -> Markup:
    """Return the file *template* of a folder of *package*, filled with *values* as by `render`.

    Raises:
        MissingExtraError: if jinja2 is not installed.
    """
    environment = _environment(package, folder)
    from markupsafe import Markup

    # The template escapes; this says so to whoever renders it into another one.
    return Markup(environment.get_template(template).render(values))  # noqa: S704


def own_html(name: str) -> Markup:
    """Return the file *name* of this package, such as the style of the page, as it is."""
    check_installed()
    from markupsafe import Markup

    text = (resources.files(PACKAGE) / name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704  (a file of ours)


def check_installed() -> None:
    """Raise unless a page can be made: said before a run of hours, not after it.

    Raises:
        MissingExtraError: if jinja2 is not installed.
    """
    _environment(PACKAGE, "templates")


def check_html(value: object) -> None:
    """Raise unless *value* is `Html`.

    Raises:
        InvalidValueError: if it is a text that nobody has escaped.
    """
    if not isinstance(value, Html):
        raise InvalidValueError(
            f"{type(value).__name__} {str(value)[:60]!r} is not HTML; make it with `render`, "
            "which escapes what is put into a template"
        )


@lru_cache(maxsize=4)
def _environment(package: str, folder: str) -> jinja2.Environment:
    try:
        import jinja2
    except ImportError as error:
        raise missing_extra("jinja2", "study", "A page of results") from error
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(partial(_template_source, package, folder)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_show_controls,
    )
    environment.filters["wbr_parts"] = _wbr_parts
    environment.filters["id"] = id_of
    environment.filters["definitions"] = with_definitions
    return environment


def _template_source(package: str, folder: str, name: str) -> str:
    path = resources.files(package) / folder / name
    return path.read_text(encoding="utf-8").removesuffix("\n")


def _show_controls(value: Any) -> Any:  # noqa: ANN401  (whatever a template prints)
    """Return *value* as it is printed: HTML as it is, a text without control characters."""
    return value if isinstance(value, Html) else printable(str(value))


def _wbr_parts(name: str) -> list[str]:
    """Return the parts of *name* between which a line may end: after ``-`` and ``+``."""
    return name.replace("-", "-\0").replace("+", "+\0").split("\0")


def id_of(text: str) -> str:
    """Return *text* as an ``id`` and as the target of a link to it: without spaces."""
    return text.replace(" ", "-")
