"""Recipes: data that say what to measure, expanded into numbered steps."""

from labctl.recipes._estimate import Estimate, estimate
from labctl.recipes._expand import count, expand
from labctl.recipes._load import load_recipe, parse_recipe, read_recipe
from labctl.recipes._nodes import DotChoice, OnError, OnTimeout, RecipeFile
from labctl.recipes._recipe import Demand, Recipe
from labctl.recipes._registry import calibration_types, measurement_types
from labctl.recipes._schema import json_schema
from labctl.recipes._steps import Calibrate, Loop, Measure, Move, Note, Step, Visit, Wait

__all__ = [
    "Calibrate",
    "Demand",
    "DotChoice",
    "Estimate",
    "Loop",
    "Measure",
    "Move",
    "Note",
    "OnError",
    "OnTimeout",
    "Recipe",
    "RecipeFile",
    "Step",
    "Visit",
    "Wait",
    "calibration_types",
    "count",
    "estimate",
    "expand",
    "json_schema",
    "load_recipe",
    "measurement_types",
    "parse_recipe",
    "read_recipe",
]
