"""Rules of the set-up between two instruments, handed to the instruments that they limit."""

from functools import partial

from labctl.roles import LimitRule, Limits
from labctl.setup import Rule, Setup, number_in
from labctl.stations._station import Station

__all__ = ["attach_rules"]


def attach_rules(station: Station, setup: Setup) -> None:
    """Let every rule of the set-up act, whoever sets the quantity that it limits."""
    for rule in setup.file.rules:
        name, _, quantity = rule.limit.partition(".")
        station[name].add_rule(_made(rule, quantity, station, setup))


def _made(rule: Rule, quantity: str, station: Station, setup: Setup) -> LimitRule:
    unit, reading_unit = setup.settable(rule.limit).unit, station.unit(rule.when)
    low, high = (number_in(amount, unit) for amount in rule.to)
    return LimitRule(
        quantity,
        unit,
        Limits(low, high),
        rule.when,
        reading_unit,
        partial(station.read, rule.when),
        None if rule.above is None else number_in(rule.above, reading_unit),
        None if rule.below is None else number_in(rule.below, reading_unit),
        rule.why,
    )
