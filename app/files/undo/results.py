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
TAKEN = N_("%(count)s were not moved back: something else has their former places.")
BEHIND: OneOrSeveral = (
    N_("One file is an older version now, behind the present file of its name."),
    N_("%(count)s files are older versions now, behind the present files of their names."),
)
NOT_RESTORED: OneOrSeveral = (
    N_("One had been restored already or was deleted permanently."),
    N_("%(count)s had been restored already or were deleted permanently."),
)


@dataclass(frozen=True)
class Undone:
    """The names of the files and folders that were removed, restored or moved back (`how`), and of
    the files that have their former version again; how many files came back as older versions of
    present ones; how many stayed as they were; and of those whose former places are `taken` why."""

    how: str
    files: Sequence[str] = ()
    folders: Sequence[str] = ()
    former: Sequence[str] = ()
    behind: int = 0
    left: int = 0
    taken: Sequence[Message] = ()

    @property
    def is_nothing(self) -> bool:
        return not (self.files or self.folders or self.former)

    @property
    def messages(self) -> Sequence[Message]:
        left = NOT_RESTORED if self.how == "restored" else CHANGED
        return [
            *messages_about(FILES[self.how], self.files),
            *messages_about(FORMER, self.former),
            *messages_about(FOLDERS[self.how], self.folders),
            *count_message(BEHIND, self.behind),
            *self.refusals,
            *count_message(left, self.left),
        ]

    @property
    def refusals(self) -> Sequence[Message]:
        """What has the former place of the only one, or how many places are taken."""
        return [N_(TAKEN.text, count=len(self.taken))] if len(self.taken) > 1 else self.taken


def messages_about(texts: OneOrSeveral, names: Sequence[str]) -> list[Message]:
    """A message about the only one, by its name, or about how many they are."""
    return count_message(texts, len(names), names[0] if names else "")


def count_message(texts: OneOrSeveral, count: int, name: str = "") -> list[Message]:
    one, several = texts
    if count == 1:
        return [N_(one.text, name=name)]
    return [N_(several.text, count=count)] if count else []
