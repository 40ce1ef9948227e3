"""PicoQuant: TCSPC modules."""
