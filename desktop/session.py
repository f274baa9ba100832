"""Who is unlocked on this PC right now; changes at unlock, at 离开, and when grants arrive by sync."""

from sync.domain.roles import Viewer
from sync.errors import AccessError


class Session:
    """The one thing in the program that changes hands; pages ask it each time, they never keep a viewer."""

    def __init__(self) -> None:
        self._viewer: Viewer | None = None
        self._name = ""
        self._title = ""

    @property
    def is_open(self) -> bool:
        """Whether somebody is unlocked."""
        return self._viewer is not None

    @property
    def viewer(self) -> Viewer:
        """Who is looking; AccessError('locked') when nobody is."""
        if self._viewer is None:
            raise AccessError("locked")
        return self._viewer

    @property
    def account_id(self) -> str:
        """The unlocked account."""
        return self.viewer.account_id

    @property
    def name(self) -> str:
        """The unlocked person's name, for the corner of the window."""
        return self._name

    @property
    def title(self) -> str:
        """The unlocked person's post, for the corner of the window."""
        return self._title

    def begin(self, viewer: Viewer, *, name: str, title: str) -> None:
        """Somebody unlocked, or the unlocked person's rights changed."""
        self._viewer, self._name, self._title = viewer, name, title

    def end(self) -> None:
        """The screen is left; nothing may be read until somebody unlocks."""
        self._viewer, self._name, self._title = None, "", ""
