"""From what the store read to what the widgets show: tiles of the plan, doors of the façade."""

from desktop.i18n import tr
from desktop.pages.needs_map.reasons import colour_character, colour_words
from desktop.widgets.compound_plan import BuildingTile
from desktop.widgets.facade_model import FacadeRoom, FacadeSnapshot
from desktop.widgets.share_bar import Counts
from sync.domain.address import unit_key
from sync.domain.colour_rules import RuleSet
from sync.domain.colours import AreaCounts
from sync.store.needs_map import BuildingSnapshot, CompoundSnapshot


def counts(area: AreaCounts) -> Counts:
    """The numbers as the widgets take them."""
    return Counts(red=area.red, yellow=area.yellow, green=area.green, grey=area.grey, blank=area.blank)


def tiles(compound: CompoundSnapshot) -> tuple[BuildingTile, ...]:
    """One tile a building, in the order of the plan."""
    return tuple(
        BuildingTile(tile.building_id, tile.name, tile.coloured.colour.value, counts(tile.counts))
        for tile in compound.tiles
    )


def facade(building: BuildingSnapshot, rules: RuleSet) -> FacadeSnapshot:
    """The building from the front: a character in every cell, its room, and the legend's words."""
    order = {unit.unit_id: place for place, unit in enumerate(building.units)}
    labels = {unit.unit_id: unit.label for unit in building.units}
    numbers = {unit.unit_id: unit_key(unit.label) for unit in building.units}
    # Slots that were never filled in say nothing about the order; the room number does.
    places = [(cell.unit_id, cell.floor, cell.slot) for cell in building.cells]
    has_slots = len(set(places)) == len(places)
    rooms = []
    for cell in building.cells:
        words = colour_words(cell.coloured.colour, rules)
        if cell.demands:
            words = tr("{words}; {n} open").format(words=words, n=cell.demands)
        number = numbers[cell.unit_id]
        rooms.append(
            FacadeRoom(
                household_id=cell.household_id,
                unit=order[cell.unit_id],
                unit_label=labels[cell.unit_id],
                floor=cell.floor,
                room=f"{number}-{cell.room_no}" if number and len(building.units) > 1 else cell.room_no,
                tone=cell.coloured.colour.value,
                character=colour_character(cell.coloured.colour, rules),
                words=words,
                slot=f"{cell.slot:03d}" if has_slots else "",
                short=cell.room_no,
            )
        )
    return FacadeSnapshot.arrange(tr("{building}, from the front").format(building=building.name), rooms)
