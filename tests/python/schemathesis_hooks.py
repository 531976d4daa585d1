"""Loaded by Schemathesis: without it, hardly a generated request would name a model or a prompt that exists."""

import random

import schemathesis
from conftest import MODEL


@schemathesis.hook
def map_body(context, body):
    # A name that breaks the schema must stay as it is: its request has to be refused.
    model = body.get("model") if isinstance(body, dict) else None
    if isinstance(model, str) and 1 <= len(model) <= 256 and random.random() < 0.8:
        return {**{key: value for key, value in body.items() if not is_unknown_name(key, value)}, "model": MODEL}
    return body


def is_unknown_name(key, value):
    return key in ("prompt_name", "input_type", "task") and isinstance(value, str) and 1 <= len(value) <= 128


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if path_parameters and random.random() < 0.5:
        return {name: MODEL for name in path_parameters}
    return path_parameters
