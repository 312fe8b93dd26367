"""Modules and classes of one's own, by name."""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any


def own_module(what: str, module: str) -> ModuleType:
    """A module that a user names.

    Args:
        what: What names it; messages begin with it.
        module: Its name.

    Raises:
        ValueError: It cannot be imported, whatever it raises; says where it is looked for.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if module.endswith(".py"):
            raise ValueError(
                f"{what}: expected the name of a module, got the file {module!r}; leave .py out"
            ) from error
        raise ValueError(
            f"{what}: {error}; {module} is looked for in {Path.cwd()} and where Python's packages "
            "are"
        ) from error
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"{what}: importing {module} raised {type(error).__name__}: {error}"
        ) from error


def own_class(what: str, name: str) -> Any:
    """What `module:Class` names.

    Args:
        what: What names it; messages begin with it.
        name: `module:Class`.

    Raises:
        ValueError: The module cannot be imported, or holds no such thing.
    """
    module, _, attribute = name.partition(":")
    found = own_module(what, module)
    try:
        return getattr(found, attribute)
    except AttributeError as error:
        near = difflib.get_close_matches(attribute, vars(found), n=1)
        meant = f"; did you mean {module}:{near[0]}?" if near else ""
        raise ValueError(f"{what}: expected module:Class, got {name!r}: {error}{meant}") from error
