"""A believable community, invented to the last row, for demonstrations, practice, tests and measurements."""

from sync.domain.example.community import community
from sync.domain.example.making import SIZES, TODAY, Size
from sync.domain.example.people import Person, people
from sync.domain.example.places import COMMUNITIES, community_id

__all__ = ["COMMUNITIES", "SIZES", "TODAY", "Person", "Size", "community", "community_id", "people"]
