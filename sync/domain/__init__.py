"""The pure domain: kinds, verbs, rules and merge; standard library and msgspec only."""
