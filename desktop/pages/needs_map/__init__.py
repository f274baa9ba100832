"""The needs map: compound, building and household in colours that always say why."""
