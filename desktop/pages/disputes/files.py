"""Files added to a dispute of somebody's own will: a scanned agreement, a picture. Nothing ever asks for one."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.texts import words
from desktop.widgets.ask import Question
from desktop.widgets.buttons import button
from desktop.widgets.card import clear
from desktop.widgets.labels import label
from sync.domain.kinds.attachments import LARGEST
from sync.errors import RuleError, StoreError
from sync.store import blobs
from sync.store.blobs import FileRow, Way
from sync.store.disputes import DisputeCard
from sync.store.store import Reader

_MEBIBYTE = 1024 * 1024


class DisputeFiles(QWidget):
    """The files of the dispute shown, each with what can be done with it."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._dispute_id = ""
        self.rows = QVBoxLayout()
        self.add = button("", role="link", on_click=self._pick)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme.current().px(theme.GAP_S))
        box.addLayout(self.rows)
        box.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)

    def show_for(self, card: DisputeCard) -> None:
        """The files of this dispute, if its words may be read at all."""
        known = self._dispute_id
        self._dispute_id = "" if card.row.is_state_only else card.row.dispute_id
        if self._dispute_id != known:
            clear(self.rows)
        self.reload()

    def reload(self) -> None:
        """Read them anew."""
        self.add.set_words(tr("Add a file (only if it helps)"))
        if not self._dispute_id:
            return
        me, dispute_id = self._context.session.account_id, self._dispute_id

        def read(reader: Reader) -> tuple[FileRow, ...]:
            return blobs.files(reader.db, reader.viewer(me), dispute_id)

        self._context.tasks.read(self, read, self._show, self._failed, key="files")

    def _show(self, files: tuple[FileRow, ...]) -> None:
        clear(self.rows)
        for file in files:
            line = QHBoxLayout()
            line.setSpacing(theme.current().px(theme.GAP_M))
            line.addWidget(label(_told(file), wrap=True), 1)
            if file.is_here:
                line.addWidget(button(tr("Save a copy"), role="link", on_click=partial(self._save_copy, file)))
            elif file.way is Way.NONE:
                line.addWidget(button(tr("Fetch it"), role="link", on_click=partial(self._fetch, file)))
            line.addWidget(button(tr("Remove"), role="link", on_click=partial(self._ask_removal, file)))
            self.rows.addLayout(line)

    # ------------------------------------------------------------------------------------------- doing

    def _pick(self) -> None:
        filters = tr("Pictures and PDF") + " (*.jpg *.jpeg *.png *.pdf)"
        self._context.ask.pick_file(self, title=tr("Add a file"), filters=filters, then=self._take)

    def _take(self, path: Path) -> None:
        def read() -> bytes:
            try:
                if path.stat().st_size > LARGEST:
                    raise RuleError("file", "file_too_large", most=LARGEST // _MEBIBYTE)
                return path.read_bytes()
            except OSError as error:
                raise StoreError("unreadable_file") from error

        self._context.tasks.net(self, read, partial(self._add, path.name), self._failed)

    def _add(self, name: str, data: bytes) -> None:
        me, dispute_id = self._context.session.account_id, self._dispute_id
        self._context.tasks.write(
            self,
            lambda store: blobs.add(store, me, record_kind="dispute", record_id=dispute_id, data=data, name=name),
            lambda _: self.reload(),
            self._failed,
        )

    def _save_copy(self, file: FileRow) -> None:
        me = self._context.session.account_id

        def read(reader: Reader) -> bytes:
            return blobs.read(reader.db, reader.viewer(me), file.id) or b""

        def save(path: Path) -> None:
            self._context.tasks.read(self, read, partial(self._write, path), self._failed)

        self._context.ask.pick_save(self, title=tr("Save a copy"), filters="", suggested=file.name, then=save)

    def _write(self, path: Path, data: bytes) -> None:
        def write() -> None:
            try:
                path.write_bytes(data)
            except OSError as error:
                raise StoreError("unwritable_file") from error

        advice = tr("Outside this program it is no longer encrypted. Delete it when it is no longer needed.")
        saved = Notice(tr("A copy is saved as {name}").format(name=path.name), advice, Tone.CALM)
        self._context.tasks.net(self, write, lambda _: self._context.hub.notice.emit(saved), self._failed)

    def _fetch(self, file: FileRow) -> None:
        me = self._context.session.account_id

        def wanted(_: None) -> None:
            self.reload()
            self._context.agent.sync_now()

        self._context.tasks.write(self, lambda store: blobs.want(store, me, file.id), wanted, self._failed)

    def _ask_removal(self, file: FileRow) -> None:
        question = Question(
            tr("Remove {name}?").format(name=file.name),
            tr("It disappears for everybody. The dispute itself stays as it is."),
            tr("Remove it"),
            is_danger=True,
        )
        self._context.ask.confirm(self, question, partial(self._remove, file))

    def _remove(self, file: FileRow) -> None:
        me = self._context.session.account_id
        self._context.tasks.write(
            self, lambda store: blobs.remove(store, me, file.id), lambda _: self.reload(), self._failed
        )

    def _failed(self, error: Exception) -> None:
        said = words(error)
        self._context.hub.notice.emit(Notice(said.title, said.advice, Tone.WARN, details=said.details))


def _told(file: FileRow) -> str:
    size = tr("{size} MB").format(size=f"{max(0.1, file.size / _MEBIBYTE):.1f}")
    if file.way is Way.UP:
        state = tr("goes to the centre by itself")
    elif file.way is Way.DOWN:
        state = tr("on its way here")
    else:
        state = "" if file.is_here else tr("kept at the centre")
    return " · ".join(part for part in (file.name, size, file.added_by, state) if part)
