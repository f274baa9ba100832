"""The tables of words for error codes: ``WORDS`` of each module maps a code to (what happened, what to do)."""
