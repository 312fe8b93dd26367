"""Families of value objects that JSON holds as a kind and arguments."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

from ombo_gym.arguments import shown


class OfKind(ABC):
    """A value object that is found again after JSON by its `kind`.

    A direct subclass is a family, such as design spaces; its own subclasses register themselves by
    their `kind`.

    Attributes:
        kind: Its name in JSON.
    """

    kind: ClassVar[str]
    _kinds: ClassVar[dict[str, type[Any]]]  # of a family, filled by subclassing

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Makes the kind known to its family."""
        super().__init_subclass__(**kwargs)
        if OfKind in cls.__bases__:
            cls._kinds = {}
        elif "kind" in cls.__dict__:
            cls._kinds[cls.kind] = cls

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """What it is built with again, as JSON holds it."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; `from_dict` of the family is the inverse."""
        return {"kind": self.kind, **self.arguments()}

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """The inverse of `arguments`."""
        return cls(**arguments)


Family = TypeVar("Family", bound=OfKind)


def from_dict(family: type[Family], given: Mapping[str, Any], argument: str) -> Family:
    """The member of a family that `to_dict` wrote.

    Args:
        family: The direct subclass of `OfKind`.
        given: What `to_dict` gave.
        argument: Its name in messages.

    Raises:
        ValueError: An unknown kind; lists the known ones.
    """
    if not isinstance(given, Mapping):
        raise ValueError(f"{argument}: expected a dict with a kind, got {shown(given)}")
    arguments = dict(given)
    kind = arguments.pop("kind", None)
    kinds = family._kinds
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"{argument}: expected a kind among {sorted(kinds)}, got {shown(kind)}")
    member: Family = kinds[kind].from_arguments(arguments)
    return member
