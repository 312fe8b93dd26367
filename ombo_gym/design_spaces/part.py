"""Some designs of another design space: a pool whose features are those that they have there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces.base import DesignSpace, design_space_from_dict
from ombo_gym.design_spaces.candidates import CandidateDesigns
from ombo_gym.design_spaces.duplicates import Designs


class PartOfDesigns(CandidateDesigns):
    """A pool of some designs of a whole, such as those that keep constraints.

    What was learnt of objectives over the whole holds for these: features are the same.

    Args:
        whole: The design space that they are of.
        members: (n, *shape) designs of it.

    Example:
        >>> from ombo_gym.design_spaces import BoxDesigns
        >>> part = PartOfDesigns(BoxDesigns(2), np.array([[0.5, -0.5], [0.0, 1.0]]))
        >>> part.size
        2
    """

    kind: ClassVar[str] = "part"

    def __init__(self, whole: DesignSpace, members: Designs) -> None:
        self.whole = whole
        self.members = whole.canonical(np.asarray(members).astype(whole.dtype))  # (n, *shape)
        categories = whole.category_features
        super().__init__(
            whole.features(self.members),
            scale="none",
            groups=whole.feature_groups.tolist(),
            is_category=None if categories is None else categories.tolist(),
        )

    @override
    def arguments(self) -> dict[str, Any]:
        return {"whole": self.whole.to_dict(), "members": self.members.tolist()}

    @classmethod
    @override
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(design_space_from_dict(arguments["whole"]), np.asarray(arguments["members"]))

    @override
    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PartOfDesigns)
            and self.whole == other.whole
            and np.array_equal(self.members, other.members)
        )

    @override
    def __hash__(self) -> int:
        return hash((self.kind, self.shape, self.size))

    def some(self, keep: NDArray[np.bool_]) -> PartOfDesigns:
        """Those of its designs that are kept, (n,)."""
        return PartOfDesigns(self.whole, self.members[keep])

    def those_of(self, designs: Designs) -> Designs:
        """Which of it some designs (m, *shape) of the whole are, (j, 1); those of it alone."""
        first: dict[bytes, int] = {}
        for number, member in enumerate(self.members):
            first.setdefault(member.tobytes(), number)
        given = self.whole.canonical(designs.astype(self.whole.dtype))
        found = [first[key] for key in (each.tobytes() for each in given) if key in first]
        return np.array(found, np.int64).reshape(-1, 1)
