"""What undoing a bulk change did, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.text import N_, Message

Texts = tuple[Message, Message]  # about one, and about several

FILES: Mapping[str, Texts] = {
    "removed": (N_("One file was removed."), N_("%(count)s files were removed.")),
    "restored": (N_("One file was restored."), N_("%(count)s files were restored.")),
    "moved": (N_("One file was moved back."), N_("%(count)s files were moved back.")),
}
FOLDERS: Mapping[str, Texts] = {
    "removed": (N_("One folder was removed."), N_("%(count)s folders were removed.")),
    "restored": (N_("One folder was restored."), N_("%(count)s folders were restored.")),
    "moved": (N_("One folder was moved back."), N_("%(count)s folders were moved back.")),
}
FORMER: Texts = (
    N_("One file has its former version again."),
    N_("%(count)s files have their former versions again."),
)
CHANGED: Texts = (
    N_("One has changed since and stays as it is."),
    N_("%(count)s have changed since and stay as they are."),
)
NOT_RESTORED: Texts = (
    N_("One had been restored already or was deleted permanently."),
    N_("%(count)s had been restored already or were deleted permanently."),
)


@dataclass(frozen=True)
class Undone:
    """How many files and folders were removed, restored or moved back (`how`); how many files have
    their former version again; and how many stayed as they were."""

    how: str
    files: int = 0
    folders: int = 0
    former: int = 0
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
            *counted(left, self.left),
        ]


def counted(texts: Texts, count: int) -> list[Message]:
    one, several = texts
    if not count:
        return []
    return [one] if count == 1 else [N_(several.text, count=count)]
