"""What undoing a bulk change did, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.text import N_, Message

OneOrSeveral = tuple[Message, Message]  # a text about one, and about several

REMOVED, RESTORED = N_("%(name)s was removed."), N_("%(name)s was restored.")
MOVED_BACK = N_("%(name)s was moved back.")
FILES: Mapping[str, OneOrSeveral] = {
    "removed": (REMOVED, N_("%(count)s files were removed.")),
    "restored": (RESTORED, N_("%(count)s files were restored.")),
    "moved": (MOVED_BACK, N_("%(count)s files were moved back.")),
}
FOLDERS: Mapping[str, OneOrSeveral] = {
    "removed": (REMOVED, N_("%(count)s folders were removed.")),
    "restored": (RESTORED, N_("%(count)s folders were restored.")),
    "moved": (MOVED_BACK, N_("%(count)s folders were moved back.")),
}
FORMER: OneOrSeveral = (
    N_("%(name)s has its former version again."),
    N_("%(count)s files have their former versions again."),
)
CHANGED: OneOrSeveral = (
    N_("One has changed since and stays as it is."),
    N_("%(count)s have changed since and stay as they are."),
)
NOT_RESTORED: OneOrSeveral = (
    N_("One had been restored already or was deleted permanently."),
    N_("%(count)s had been restored already or were deleted permanently."),
)


@dataclass(frozen=True)
class Undone:
    """The names of the files and folders that were removed, restored or moved back (`how`), and of
    the files that have their former version again; and how many stayed as they were."""

    how: str
    files: Sequence[str] = ()
    folders: Sequence[str] = ()
    former: Sequence[str] = ()
    left: int = 0

    @property
    def is_nothing(self) -> bool:
        return not (self.files or self.folders or self.former)

    @property
    def messages(self) -> Sequence[Message]:
        left = NOT_RESTORED if self.how == "restored" else CHANGED
        return [
            *counted(FILES[self.how], self.files),
            *counted(FORMER, self.former),
            *counted(FOLDERS[self.how], self.folders),
            *counted(left, [""] * self.left),
        ]


def counted(texts: OneOrSeveral, names: Sequence[str]) -> list[Message]:
    """A message about the only one, by its name, or about how many they are."""
    one, several = texts
    if len(names) == 1:
        return [N_(one.text, name=names[0])]
    return [N_(several.text, count=len(names))] if names else []
