"""The first start of a PC."""
