"""Options on the command line and in files, for any dataclass: `training.learning_rate=1e-3`."""

import ast
import types
import typing
from dataclasses import asdict, fields, is_dataclass

from posed_recipe.errors import RecipeError


def configure(options, assignments):
    """Sets `path=value` assignments in a dataclass and those inside it; gives it back."""
    for assignment in assignments or []:
        path, equals, text = assignment.partition("=")
        if not equals:
            raise RecipeError(f'an option is set as name=value, but "{assignment}" came')
        *parents, name = path.split(".")
        target = options
        for parent in parents:
            target = member(target, parent, path)
        member(target, name, path)
        setattr(target, name, parse(text, typing.get_type_hints(type(target))[name], path))
    return options


def member(target, name, path):
    """A field of a dataclass, or a sentence about the ones that there are."""
    names = [field.name for field in fields(target)] if is_dataclass(target) else []
    if name not in names:
        raise RecipeError(f'no option "{path}"; there are {", ".join(names)}')
    return getattr(target, name)


def parse(text, kind, path):
    """A value of that type."""
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if text == "none" and type(None) in kinds:
        return None
    try:
        value = ast.literal_eval({"true": "True", "false": "False"}.get(text, text))
    except (SyntaxError, ValueError):
        value = text
    if float in kinds and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not any(isinstance(value, one) for one in kinds if isinstance(one, type)):
        raise RecipeError(f'"{path}" must be of type {kind}, but "{text}" came')
    return value


def to_json(options):
    """A dataclass as JSON."""
    return asdict(options)


def from_json(kind, values):
    """A dataclass of that type out of JSON."""
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise RecipeError(f"unknown options: {', '.join(unknown)}")
    made = {}
    for name, value in values.items():
        hint = hints[name]
        if is_dataclass(hint):
            value = from_json(hint, value)
        elif hint is tuple and isinstance(value, list):
            value = tuple(value)
        made[name] = value
    return kind(**made)
