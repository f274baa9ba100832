"""After the first start: the recovery code on paper, and then to work."""

from collections.abc import Callable

from PySide6.QtWidgets import QCheckBox, QWidget

from desktop.context import Context
from desktop.enrolling import SetUp
from desktop.i18n import tr
from desktop.pages.setup.printing import print_recovery
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, clear
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label, set_text


def show_recovery(
    card: Card, context: Context, parent: QWidget, made: SetUp, *, go_on: Callable[[], object]
) -> QWidget:
    """Fill the card with the code and what to do with it; returns the button that has the keyboard first."""
    clear(card.body)
    card.set_title(tr("Put this code away"))
    card.set_hint(tr("shown only now"))
    card.add(
        label(
            tr(
                "If everybody forgets the PIN, or the PC breaks, only this recovery code opens the records. "
                "Print it, put it in the station's safe. It is stored nowhere."
            ),
            wrap=True,
        )
    )
    code = label(made.recovery_code, "big", wrap=True, copyable=True)
    code.setAccessibleName(tr("Recovery code"))
    card.add(code)
    if made.is_usable:
        card.add(label(tr("Your own building is here. The rest comes by itself while you work."), wrap=True))
    elif not made.is_complete:
        card.add(
            label(
                tr("The line went away while receiving. It goes on by itself; begin when there is a line again."),
                wrap=True,
            )
        )
    printed = QCheckBox(tr("I have printed it or written it down"))
    begin = button(tr("Begin work"), role="primary", on_click=go_on)
    begin.setEnabled(False)
    printed.toggled.connect(begin.setEnabled)
    print_it = button(tr("Print the code"), role="second")
    said = label("", "secondary", wrap=True)
    set_text(said, "")
    print_it.clicked.connect(
        lambda: print_recovery(context, parent, made.recovery_code, said=lambda text: set_text(said, text))
    )
    row = QWidget()
    flow = FlowLayout(row)
    flow.addWidget(begin)
    flow.addWidget(print_it)
    for part in (said, printed, row):
        card.add(part)
    return print_it
